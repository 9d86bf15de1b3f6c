import fs from 'node:fs';
import { textOfFile, topics, topology } from '@countersign/contracts';
import { deployment } from '@countersign/runtime';
import { z } from 'zod';
import type { AdmissionLimits } from '../core/admit.js';

/** What this service reads from its environment, once. */
export interface Settings {
  /** Makes identities from references and addresses, and seals what is kept of a person here. 32 bytes. */
  readonly identityKey: Buffer;
  /** The executors' public key, a JWK (X25519): what leaves here of a person is sealed to it. */
  readonly contactPointsKey: Record<string, unknown>;
  /** SHA-256 of each source's API keys, by the source's name. */
  readonly apiKeys: ReadonlyMap<string, readonly Buffer[]>;
  readonly admission: AdmissionLimits;
  /** How long a publisher waits for the broker's acknowledgement before it is told to come again. */
  readonly publishTimeoutMs: number;
  /** Events of all sources that may wait for the broker at the same time. Each source has an equal share, and is told to come again beyond it. */
  readonly maxEventsInFlight: number;
}

export const SETTINGS = Symbol('SETTINGS');

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in hexadecimal');
const ApiKeys = z.record(z.string(), z.union([hash, z.array(hash).min(1)]));
const PublicKey = z.looseObject({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: z.string() });

/** Reads and checks everything; throws an error that names the variable, so that a wrong set-up does not start. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const identityKey = Buffer.from(file(env, 'IDENTITY_KEY_FILE').trim(), 'hex');
  if (identityKey.length !== 32) throw new Error('IDENTITY_KEY_FILE: 32 bytes in hexadecimal are expected');
  const keys = Object.entries(json(env, 'API_KEYS_FILE', ApiKeys));
  const sources = topology(deployment()).filter((t) => t.types.length === 0 && t.writer === 'signal-ingestion');
  for (const [name] of keys) {
    if (sources.some((t) => t.name === topics.signalsInbound(name).name)) continue;
    throw new Error(`API_KEYS_FILE: "${name}" is no source that publishes over HTTP`);
  }
  const owners = new Map<string, string>();
  for (const [name, hashes] of keys)
    for (const one of [hashes].flat()) {
      const owner = owners.get(one);
      if (owner !== undefined && owner !== name)
        throw new Error(`API_KEYS_FILE: "${owner}" and "${name}" have the same key; give each source a key of its own`);
      owners.set(one, name);
    }
  return {
    identityKey,
    contactPointsKey: json(env, 'CONTACT_POINTS_PUBLIC_KEY_FILE', PublicKey),
    apiKeys: new Map(keys.map(([name, hashes]) => [name, [hashes].flat().map((h) => Buffer.from(h, 'hex'))])),
    admission: {
      freshnessDays: number(env, 'SIGNAL_FRESHNESS_DAYS', 30, 1),
      minimumScore: number(env, 'SIGNAL_MINIMUM_SCORE', 15, 0),
    },
    publishTimeoutMs: number(env, 'PUBLISH_TIMEOUT_MS', 5_000, 1),
    maxEventsInFlight: number(env, 'MAX_EVENTS_IN_FLIGHT', 5_000, 1),
  };
}

function file(env: Readonly<Record<string, string | undefined>>, variable: string): string {
  const path = env[variable];
  if (!path) throw new Error(`${variable} is not set`);
  try {
    return textOfFile(path, fs);
  } catch (error) {
    throw new Error(`${variable}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function json<T>(env: Readonly<Record<string, string | undefined>>, variable: string, schema: z.ZodType<T>): T {
  const text = file(env, variable);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${variable}: is not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Error(`${variable}: ${parsed.error.issues[0]?.message ?? 'invalid'}`);
  return parsed.data;
}

function number(
  env: Readonly<Record<string, string | undefined>>,
  variable: string,
  preset: number,
  least: number,
): number {
  const text = env[variable];
  if (text === undefined || text === '') return preset;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < least)
    throw new Error(`${variable}: a whole number from ${least} is expected`);
  return value;
}
