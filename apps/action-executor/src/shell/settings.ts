import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { textOfFile } from '@countersign/contracts';
import { readVerifyKeys, type VerifyKeys } from '@countersign/gate';
import {
  type Env,
  file,
  json,
  optionalFile,
  optionalText,
  readEnvironment,
  runtimeEnvironment,
  Unusable,
  whole,
} from '@countersign/runtime';
import type { JWK } from 'jose';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Patience } from '../core/permit-machine.js';

/** What an operator sets, read once at start. */
export interface Settings {
  /** The validator's public keys, one or two. They come only from this file. */
  readonly permitKeys: VerifyKeys;
  /** Opens contact points. */
  readonly contactPointsKey: JWK;
  readonly webhook?: WebhookSettings;
  /** If absent, there are no connectors to the sandbox systems. */
  readonly sandbox?: SandboxSettings;
  readonly patience: Patience;
}

export interface WebhookSettings {
  readonly url: string;
  /** Standard Webhooks secret: `whsec_` and base64. */
  readonly secret: string;
  readonly timeoutMs: number;
}

export interface SandboxSettings {
  /** Without a trailing slash. */
  readonly url: string;
  /** Bearer token. */
  readonly token: string;
}

/** Injection token of `Settings`. */
export const SETTINGS = Symbol('SETTINGS');

const PrivateKey = z.looseObject({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: z.string(), d: z.string() });
const ConnectorsFile = z.strictObject({
  webhook: z
    .strictObject({
      url: z.url({ protocol: /^https?$/ }),
      secretFile: z.string().min(1),
      /** Two timeouts, for a question and a call, must fit well into a job's lease. */
      timeoutMs: z.int().positive().max(10_000).default(10_000),
    })
    .optional(),
});

const SandboxToken = z.strictObject({
  token: z.string().regex(/^[\x21-\x7e]{16,1000}$/, 'at least 16 characters of ASCII without spaces'),
});

const variables = {
  PERMIT_VERIFY_KEYS_FILE: file({
    description: 'Permits are verified with them: one key, or two during a rotation',
    holds: "the validator's public keys, a JWKS",
    read: (text) => {
      try {
        return readVerifyKeys(json(z.unknown(), parse)(text));
      } catch (error) {
        throw new Unusable(error instanceof Error ? error.message : 'unusable');
      }
    },
  }),
  CONTACT_POINTS_PRIVATE_KEY_FILE: file({
    description: 'It opens names and addresses',
    holds: 'a private JWK (X25519)',
    secret: true,
    read: json(PrivateKey, parse),
  }),
  CONNECTORS_FILE: optionalFile({
    description: 'See `apps/action-executor/README.md`',
    holds: 'the settings of the webhook, as JSON or YAML',
    read: (text, path) => webhookIn(json(ConnectorsFile, parse)(text), path),
  }),
  SANDBOX_URL: optionalText({
    description:
      'the address of the sandbox systems. Set it together with `SANDBOX_TOKEN_FILE`. It must be `https`, except for the loopback address and for a host name without a dot, as in a container network',
    kind: 'URL',
    preset: 'off',
    fits: wrongSandboxUrl,
  }),
  SANDBOX_TOKEN_FILE: optionalFile({
    description: 'With that token it reaches the sandbox systems',
    holds: '`{"token": "…"}`, as JSON',
    secret: true,
    read: json(SandboxToken, parse),
  }),
  CALL_TRIES: whole({ description: 'how often a call of a connected system is tried', preset: 6, most: 999_999 }),
  CALL_BACKOFF_MS: whole({
    description: 'first pause between two tries of a call; doubled each time',
    preset: 500,
    unit: 'ms',
    most: 999_999,
  }),
};

/** All environment variables that the executor reads. */
export const environment = runtimeEnvironment.extend(variables).superRefine(bothOrNone);

const own = z.object(variables).superRefine(bothOrNone);

function bothOrNone(
  { SANDBOX_URL, SANDBOX_TOKEN_FILE }: { readonly SANDBOX_URL?: unknown; readonly SANDBOX_TOKEN_FILE?: unknown },
  context: z.core.$RefinementCtx,
): void {
  if (SANDBOX_TOKEN_FILE && !SANDBOX_URL)
    context.addIssue({ code: 'custom', path: ['SANDBOX_URL'], message: 'is not set, and SANDBOX_TOKEN_FILE is' });
  if (SANDBOX_URL && !SANDBOX_TOKEN_FILE)
    context.addIssue({ code: 'custom', path: ['SANDBOX_TOKEN_FILE'], message: 'is not set, and SANDBOX_URL is' });
}

/** Reads the settings. If some are missing or unusable, it throws an error that names the variables: the process must not start. */
export function readSettings(env: Env): Settings {
  const read = readEnvironment(own, env);
  const { CONNECTORS_FILE: webhook, SANDBOX_URL: url, SANDBOX_TOKEN_FILE: sandbox } = read;
  return {
    permitKeys: read.PERMIT_VERIFY_KEYS_FILE,
    contactPointsKey: read.CONTACT_POINTS_PRIVATE_KEY_FILE as JWK,
    ...(webhook && { webhook }),
    ...(url && sandbox && { sandbox: { url: url.replace(/\/+$/, ''), token: sandbox.token } }),
    patience: { turns: read.CALL_TRIES, backoffMs: read.CALL_BACKOFF_MS, behindMs: 150 },
  };
}

function webhookIn({ webhook }: z.infer<typeof ConnectorsFile>, path: string): WebhookSettings | undefined {
  if (!webhook) return undefined;
  const { url, secretFile, timeoutMs } = webhook;
  if (!isSafe(url)) throw new Unusable(`webhook.url: ${unsafe}`);
  return { url, secret: secretOf(resolve(dirname(path), secretFile)), timeoutMs };
}

function wrongSandboxUrl(url: string): string | undefined {
  // The value may contain a secret, so it is not quoted.
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return 'a URL such as http://127.0.0.1:8089 is expected';
  // A name without a dot resolves only in a private network, such as that of containers.
  return isSafe(url, /^[a-z0-9-]+$/i) ? undefined : unsafe;
}

const unsafe = 'must be https, except on the loopback address';

/** On this machine, the data may be sent unencrypted. To any other machine it is sent encrypted or not at all. */
function isSafe(url: string, near?: RegExp): boolean {
  const { protocol, hostname } = new URL(url);
  return (
    protocol !== 'http:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname) || near?.test(hostname) === true
  );
}

function secretOf(file: string): string {
  let secret: string;
  try {
    secret = textOfFile(file, fs).trim();
  } catch (error) {
    throw new Unusable(
      `webhook.secretFile: the file that it names cannot be read (${(error as { code?: string }).code})`,
    );
  }
  if (!/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret))
    throw new Unusable('webhook.secretFile: whsec_ and at least 24 bytes in base64 are expected');
  return secret;
}
