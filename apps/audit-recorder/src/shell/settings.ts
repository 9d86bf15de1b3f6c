import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type SigningKey, signingKey } from '@countersign/record';
import { type Env, file, optionalText, readEnvironment, runtimeEnvironment, Unusable } from '@countersign/runtime';
import { z } from 'zod';
import { type Auditors, readAuditors } from '../core/auditors.js';

/** The recorder's settings from its environment, read once. */
export interface Settings {
  readonly origin: string;
  readonly signingKey: SigningKey;
  readonly commitmentKey: Uint8Array;
  readonly auditors: Auditors;
  /** Origins of pages whose scripts may read the public proofs and use passes. */
  readonly readers: readonly string[];
}

/** Injection token of `Settings`. */
export const SETTINGS = Symbol('SETTINGS');

const localOrigin = 'countersign.local/record';

const originsIn = (list: string): string[] =>
  list
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

const variables = {
  RECORD_ORIGIN: optionalText({
    description: 'the name of the record, which its checkpoints carry',
    preset: `\`${localOrigin}\``,
    // The form that C2SP requires for the name of a key.
    fits: (name) =>
      /^[^\p{White_Space}\p{Cc}+]+$/u.test(name) ? undefined : 'a name without spaces and plus signs is expected',
  }),
  CHECKPOINT_SIGNING_KEY_FILE: file({
    description: 'Checkpoints are signed with it',
    holds: 'an Ed25519 private key, PKCS8 PEM',
    secret: true,
    read: (pem) => {
      const key = privateKey(pem);
      if (key.asymmetricKeyType !== 'ed25519') throw new Unusable('it holds a key of another kind');
      return key;
    },
  }),
  COMMITMENT_KEY_FILE: file({
    description: 'Commitments to inbound signals, contact points and sealed reveals are made with it',
    holds: 'at least 32 bytes in hexadecimal',
    secret: true,
    read: (content) => {
      const hex = content.trim();
      if (!/^([0-9a-f]{2}){32,}$/i.test(hex)) throw new Unusable('it holds something else');
      return new Uint8Array(Buffer.from(hex, 'hex'));
    },
  }),
  AUDIT_TOKENS_FILE: file({
    description: 'Whoever may read the record has the role `auditor`',
    holds: 'a JSON list of `{"sha256", "person", "roles"}`',
    read: (content) => {
      try {
        return readAuditors(content);
      } catch (error) {
        // The message of a JSON error quotes the text around it, which may be a secret: only our own messages are passed on.
        throw error instanceof TypeError ? new Unusable(error.message) : error;
      }
    },
  }),
  RECORD_READERS: optionalText({
    description:
      "origins, divided by commas, of the pages whose scripts may read the public proofs and download the record with a pass: the console's",
    preset: 'none',
    fits: (list) =>
      originsIn(list).every(isOrigin)
        ? undefined
        : 'origins like https://console.example are expected, divided by commas',
  }),
};

/** All environment variables that the recorder reads. */
export const environment = runtimeEnvironment.extend(variables);

const own = z.object(variables);

/** Reads the settings. If some are unusable, it throws an error that names the variables and never their content. */
export function readSettings(env: Env): Settings {
  const read = readEnvironment(own, env);
  const origin = read.RECORD_ORIGIN ?? localOrigin;
  return {
    origin,
    signingKey: signingKey(origin, read.CHECKPOINT_SIGNING_KEY_FILE),
    commitmentKey: read.COMMITMENT_KEY_FILE,
    auditors: read.AUDIT_TOKENS_FILE,
    readers: originsIn(read.RECORD_READERS ?? ''),
  };
}

function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Unusable('it holds no private key');
  }
}
