import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { textOfFile } from '@countersign/contracts';
import { readVerifyKeys, type VerifyKeys } from '@countersign/gate';
import type { JWK } from 'jose';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Patience } from '../core/permit-machine.js';

/** What an operator sets, read once at start. */
export interface Settings {
  /** Public keys of the validator, one or two. Never learnt from anywhere but this file. */
  readonly permitKeys: VerifyKeys;
  /** Opens contact points. */
  readonly contactPointsKey: JWK;
  readonly webhook?: WebhookSettings;
  /** Without it there are no connectors to the sandbox systems. */
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
  /** Without a slash at its end. */
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
      /** Two of them, a question and a call, must fit well into a job's lease. */
      timeoutMs: z.int().positive().max(10_000).default(10_000),
    })
    .optional(),
});

const SandboxToken = z.strictObject({
  token: z.string().regex(/^[\x21-\x7e]{16,1000}$/, 'at least 16 characters of ASCII without spaces'),
});

/** Reads the settings. Throws, naming the variable, where one is missing or its file cannot be used: the process must not start. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const connectors = env.CONNECTORS_FILE ? fromFile(env, 'CONNECTORS_FILE', ConnectorsFile) : undefined;
  const webhook = connectors?.webhook;
  const sandbox = sandboxOf(env);
  return {
    permitKeys: verifyKeys(env),
    contactPointsKey: fromFile(env, 'CONTACT_POINTS_PRIVATE_KEY_FILE', PrivateKey) as JWK,
    ...(webhook && {
      webhook: {
        url: safeUrl(webhook.url, 'CONNECTORS_FILE: webhook.url'),
        secret: secretOf(resolve(dirname(env.CONNECTORS_FILE ?? ''), webhook.secretFile)),
        timeoutMs: webhook.timeoutMs,
      },
    }),
    ...(sandbox && { sandbox }),
    patience: {
      turns: positive(env, 'CALL_TRIES', 6),
      backoffMs: positive(env, 'CALL_BACKOFF_MS', 500),
      behindMs: 150,
    },
  };
}

function verifyKeys(env: Readonly<Record<string, string | undefined>>): VerifyKeys {
  const content = fromFile(env, 'PERMIT_VERIFY_KEYS_FILE', z.unknown());
  try {
    return readVerifyKeys(content);
  } catch (error) {
    throw new Error(`PERMIT_VERIFY_KEYS_FILE: ${error instanceof Error ? error.message : 'unusable'}`);
  }
}

function fromFile<T>(env: Readonly<Record<string, string | undefined>>, variable: string, schema: z.ZodType<T>): T {
  const file = env[variable];
  if (!file) throw new Error(`${variable} is not set`);
  let content: unknown;
  try {
    // YAML 1.2 reads JSON too.
    content = parse(textOfFile(file, fs));
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    // A parser's message quotes the file, which may be a key.
    throw new Error(`${variable}: ${file} cannot be read (${typeof code === 'string' ? code : 'not JSON or YAML'})`);
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`${variable}: ${file}: ${issue?.path.join('.') || 'content'}: ${issue?.message ?? 'invalid'}`);
}

/** `SANDBOX_URL` and `SANDBOX_TOKEN_FILE`: both or none. */
function sandboxOf(env: Readonly<Record<string, string | undefined>>): SandboxSettings | undefined {
  const { SANDBOX_URL: url } = env;
  if (!url && !env.SANDBOX_TOKEN_FILE) return undefined;
  if (!url) throw new Error('SANDBOX_URL is not set, and SANDBOX_TOKEN_FILE is');
  const { token } = fromFile(env, 'SANDBOX_TOKEN_FILE', SandboxToken);
  // It may hold what is secret, so it is not quoted.
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new Error('SANDBOX_URL: a URL such as http://127.0.0.1:8089 is expected');
  // A name without a dot leads nowhere but to a network of one's own, as that of containers.
  return { url: safeUrl(url, 'SANDBOX_URL', /^[a-z0-9-]+$/i).replace(/\/+$/, ''), token };
}

/** What is sent is not secret from this machine: elsewhere it travels encrypted or not at all. */
function safeUrl(url: string, setting: string, near?: RegExp): string {
  const { protocol, hostname } = new URL(url);
  const here = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname) || near?.test(hostname);
  if (protocol === 'http:' && !here) throw new Error(`${setting}: must be https, except on the loopback address`);
  return url;
}

function secretOf(file: string): string {
  let secret: string;
  try {
    secret = textOfFile(file, fs).trim();
  } catch (error) {
    throw new Error(
      `CONNECTORS_FILE: webhook.secretFile: ${file} cannot be read (${(error as { code?: string }).code})`,
    );
  }
  if (!/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret)) {
    throw new Error('CONNECTORS_FILE: webhook.secretFile: whsec_ and at least 24 bytes in base64 are expected');
  }
  return secret;
}

function positive(env: Readonly<Record<string, string | undefined>>, variable: string, otherwise: number): number {
  const text = env[variable];
  if (text === undefined || text === '') return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`${variable}: a positive integer is expected, not "${text}"`);
  return Number(text);
}
