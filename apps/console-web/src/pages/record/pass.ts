import { answerOf, api } from '../../app/api.js';
import type { operations } from '../../generated/console.js';
import { encode, sha256, toHex } from './proof/bytes.js';

type Asked = operations['passes_ask']['requestBody']['content']['application/json'];
export type PassUse = Asked['use'];

/** Asks for permission to read the whole record; the request goes on record. The result opens the export, and only this page has it. */
export async function askForPass(asking: Omit<Asked, 'secretSha256'>): Promise<string> {
  const random = crypto.getRandomValues(new Uint8Array(32));
  const secret = btoa(String.fromCharCode(...random))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '');
  const secretSha256 = toHex(await sha256(encode(secret)));
  await answerOf(api.POST('/v1/record/passes', { body: { ...asking, secretSha256 } }));
  return secret;
}
