import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { ApiProblem, answerOf, api } from '../../app/api.js';
import type { operations } from '../../generated/console.js';
import { sealedAnswer } from './sealed.js';

type Asked = operations['reveals_ask']['requestBody']['content']['application/json'];
/** Which fields of a person somebody asks for, and why. */
export type Asking = Omit<Asked, 'publicKey'>;
/** Of the fields that were asked for, those that are known. */
export interface Revealed {
  readonly firstName?: string;
  readonly lastName?: string;
  readonly email?: string;
  readonly phone?: string;
}

/**
 * Asks who a person is and opens the answer. Only this call has the key that opens it: the key is made here, cannot be exported,
 * and is gone when the call ends. If nothing is revealed, throws `ApiProblem` with the reason.
 */
export async function reveal(contactId: string, asking: Asking, signal: AbortSignal): Promise<Revealed> {
  if (globalThis.crypto?.subtle === undefined)
    throw new ApiProblem(
      0,
      'This browser cannot open the answer here',
      'Browsers decrypt only on pages that came over HTTPS or from this computer. Open the console at such an address, or use countersign people reveal.',
    );
  const { privateKey, publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
  const { kty, crv, x, y } = (await exportJWK(publicKey)) as Asked['publicKey'];
  const params = { path: { contactId } };
  const body = { ...asking, publicKey: { kty, crv, x, y } };
  const { revealId, expiresAt } = await answerOf(api.POST('/v1/people/{contactId}/reveals', { params, body }));
  const ofThis = { path: { contactId, revealId } };
  const show = () => answerOf(api.GET('/v1/people/{contactId}/reveals/{revealId}', { params: ofThis }));
  const jwe = await sealedAnswer(show, expiresAt, signal);
  const { plaintext } = await compactDecrypt(jwe, privateKey, {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  const opened = JSON.parse(new TextDecoder().decode(plaintext)) as Revealed & { revealId: string; contactId: string };
  if (opened.revealId === revealId && opened.contactId === contactId.toLowerCase()) return opened;
  throw new ApiProblem(
    0,
    'The answer belongs to another request',
    'So the page does not show the answer. Tell the person who runs the console, and say what time it is now.',
  );
}
