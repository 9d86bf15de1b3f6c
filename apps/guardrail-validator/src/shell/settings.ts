import fs from 'node:fs';
import { textOfFile } from '@countersign/contracts';
import { readSigningKey, type SigningKey } from '@countersign/gate';

/** Injection token of the permit signing key. */
export const SIGNING_KEY = Symbol('SIGNING_KEY');

/** Reads the private Ed25519 JWK that `PERMIT_SIGNING_KEY_FILE` names. Throws, naming the variable, and the process does not start. */
export function signingKey(env: Readonly<Record<string, string | undefined>>): SigningKey {
  const file = env.PERMIT_SIGNING_KEY_FILE;
  if (!file) throw new Error('PERMIT_SIGNING_KEY_FILE is not set: a file with a private Ed25519 JWK');
  let jwk: unknown;
  try {
    jwk = JSON.parse(textOfFile(file, fs));
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    // The parser's message quotes the file, which is a key.
    throw new Error(
      `PERMIT_SIGNING_KEY_FILE: ${file} cannot be read (${typeof code === 'string' ? code : 'not JSON'})`,
    );
  }
  try {
    return readSigningKey(jwk);
  } catch (error) {
    throw new Error(`PERMIT_SIGNING_KEY_FILE: ${(error as Error).message}`);
  }
}
