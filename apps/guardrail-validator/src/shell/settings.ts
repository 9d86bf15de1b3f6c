import { readSigningKey, type SigningKey } from '@countersign/gate';
import { type Env, file, readEnvironment, runtimeEnvironment, Unusable } from '@countersign/runtime';
import { z } from 'zod';

/** Injection token of the permit signing key. */
export const SIGNING_KEY = Symbol('SIGNING_KEY');

const variables = {
  PERMIT_SIGNING_KEY_FILE: file({
    description: 'Permits are signed with it',
    holds: 'a private Ed25519 JWK',
    secret: true,
    read: (text) => signingKeyIn(text),
  }),
};

/** All environment variables that the validator reads. */
export const environment = runtimeEnvironment.extend(variables);

const own = z.object(variables);

/**
 * Reads the private Ed25519 JWK that `PERMIT_SIGNING_KEY_FILE` names. If it cannot, it throws an error that names the variable, and the
 * process does not start.
 */
export const signingKey = (env: Env): SigningKey => readEnvironment(own, env).PERMIT_SIGNING_KEY_FILE;

function signingKeyIn(text: string): SigningKey {
  let jwk: unknown;
  try {
    jwk = JSON.parse(text);
  } catch {
    // The parser's message quotes the file, which is a private key.
    throw new Unusable('it is not JSON');
  }
  try {
    return readSigningKey(jwk);
  } catch (error) {
    throw new Unusable((error as Error).message);
  }
}
