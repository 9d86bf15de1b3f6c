import { createPrivateKey, type KeyObject } from 'node:crypto';
import fs from 'node:fs';
import { textOfFile } from '@countersign/contracts';
import { type SigningKey, signingKey } from '@countersign/record';
import { type Auditors, readAuditors } from '../core/auditors.js';

/** What the recorder is told by its environment, read once. */
export interface Settings {
  readonly origin: string;
  readonly signingKey: SigningKey;
  readonly commitmentKey: Uint8Array;
  readonly auditors: Auditors;
}

/** Injection token of `Settings`. */
export const SETTINGS = Symbol('SETTINGS');

/**
 * Reads RECORD_ORIGIN and the files that CHECKPOINT_SIGNING_KEY_FILE (an Ed25519 private key, PKCS8 PEM), COMMITMENT_KEY_FILE (at
 * least 32 bytes in hexadecimal) and AUDIT_TOKENS_FILE name. Throws, naming the variable and never the content, where one cannot be used.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const origin = env.RECORD_ORIGIN || 'countersign.local/record';
  return {
    origin,
    signingKey: fromFile(env, 'CHECKPOINT_SIGNING_KEY_FILE', 'an Ed25519 private key, PKCS8 PEM', (text) =>
      signingKey(origin, privateKey(text)),
    ),
    commitmentKey: fromFile(env, 'COMMITMENT_KEY_FILE', 'at least 32 bytes in hexadecimal', (text) => {
      const hex = text.trim();
      if (!/^([0-9a-f]{2}){32,}$/i.test(hex)) throw new TypeError('it holds something else');
      return new Uint8Array(Buffer.from(hex, 'hex'));
    }),
    auditors: fromFile(env, 'AUDIT_TOKENS_FILE', 'a JSON list of {"sha256", "person", "roles"}', readAuditors),
  };
}

function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TypeError('it holds no private key');
  }
}

function fromFile<T>(
  env: Readonly<Record<string, string | undefined>>,
  variable: string,
  expected: string,
  parse: (text: string) => T,
): T {
  const path = env[variable];
  if (!path) throw new Error(`${variable} is not set: the path of a file with ${expected}`);
  let text: string;
  try {
    text = textOfFile(path, fs);
  } catch (error) {
    throw new Error(`${variable}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    return parse(text);
  } catch (error) {
    // A JSON fault quotes what stands around it, which may be a secret: only our own words are passed on.
    const reason = error instanceof TypeError ? `: ${error.message}` : '';
    throw new Error(`${variable}: ${path} is not ${expected}${reason}`);
  }
}
