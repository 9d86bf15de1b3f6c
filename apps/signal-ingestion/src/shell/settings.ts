import { topics, topology } from '@countersign/contracts';
import {
  deployment,
  type Env,
  file,
  json,
  readEnvironment,
  runtimeEnvironment,
  Unusable,
  whole,
} from '@countersign/runtime';
import { z } from 'zod';
import type { AdmissionLimits } from '../core/admit.js';

/** The settings of this service from its environment, read once. */
export interface Settings {
  /** Makes identities from references and addresses, and encrypts the personal data that is stored here. 32 bytes. */
  readonly identityKey: Buffer;
  /** The executors' public key, a JWK (X25519). Personal data that leaves this service is sealed to it. */
  readonly contactPointsKey: Record<string, unknown>;
  /** SHA-256 of each source's API keys, by the source's name. */
  readonly apiKeys: ReadonlyMap<string, readonly Buffer[]>;
  readonly admission: AdmissionLimits;
  /** How long a publisher waits for the broker's acknowledgement before it is asked to send again later. */
  readonly publishTimeoutMs: number;
  /**
   * How many events of all sources may wait for the broker at the same time. Each source has an equal share; beyond it, the source is
   * asked to send again later.
   */
  readonly maxEventsInFlight: number;
  /** How many people's names or addresses may be revealed within an hour, to all callers together. */
  readonly revealsPerHour: number;
}

export const SETTINGS = Symbol('SETTINGS');

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in hexadecimal');
const ApiKeys = z.record(z.string(), z.union([hash, z.array(hash).min(1)]));
const PublicKey = z.looseObject({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: z.string() });

const variables = {
  API_KEYS_FILE: file({
    description: 'The keys of the sources that publish over HTTP',
    holds: 'JSON that has by source the SHA-256 of an API key, or a list of them',
    read: (text) => keysIn(json(ApiKeys, JSON.parse, memberOf(text))(text)),
  }),
  IDENTITY_KEY_FILE: file({
    description: 'Contact ids are made with it',
    holds: '32 bytes in hexadecimal',
    secret: true,
    read: (text) => {
      const key = Buffer.from(text.trim(), 'hex');
      if (key.length !== 32) throw new Unusable('32 bytes in hexadecimal are expected');
      return key;
    },
  }),
  CONTACT_POINTS_PUBLIC_KEY_FILE: file({
    description: 'Names and addresses are encrypted to it',
    holds: "the executors' public key, a JWK (X25519)",
    read: json(PublicKey),
  }),
  SIGNAL_FRESHNESS_DAYS: whole({
    description: 'a signal is fresh for so long',
    preset: 30,
    unit: 'days',
    most: 999_999_999,
  }),
  SIGNAL_MINIMUM_SCORE: whole({
    description: 'a signal with a lower score is rejected',
    preset: 15,
    least: 0,
    most: 999_999_999,
  }),
  PUBLISH_TIMEOUT_MS: whole({
    description: "how long a publisher waits for the broker's acknowledgement, before it is told to come again",
    preset: 5_000,
    unit: 'ms',
    most: 999_999_999,
  }),
  MAX_EVENTS_IN_FLIGHT: whole({
    description: 'events that may wait for the broker at the same time, for all sources together, in equal shares',
    preset: 5_000,
    most: 999_999_999,
  }),
  ANSWERED_REVEALS_PER_HOUR: whole({
    description:
      'how many requests for a name or an address are answered in any 60 minutes, for all people together. Further requests are refused. 0: all are refused',
    preset: 100,
    least: 0,
    most: 999_999_999,
  }),
};

/** All environment variables that the service reads. */
export const environment = runtimeEnvironment.extend(variables);

const own = z.object(variables);

/** Reads and checks everything. If a value is wrong, it throws an error that names the variables, so that the service does not start. */
export function readSettings(env: Env): Settings {
  const read = readEnvironment(own, env);
  return {
    identityKey: read.IDENTITY_KEY_FILE,
    contactPointsKey: read.CONTACT_POINTS_PUBLIC_KEY_FILE,
    apiKeys: read.API_KEYS_FILE,
    admission: { freshnessDays: read.SIGNAL_FRESHNESS_DAYS, minimumScore: read.SIGNAL_MINIMUM_SCORE },
    publishTimeoutMs: read.PUBLISH_TIMEOUT_MS,
    maxEventsInFlight: read.MAX_EVENTS_IN_FLIGHT,
    revealsPerHour: read.ANSWERED_REVEALS_PER_HOUR,
  };
}

/**
 * If keys and names are swapped in the file, keys are in the place of names. A member is therefore reported by its position, not by its
 * name.
 */
const memberOf = (text: string) => (path: readonly PropertyKey[]) => {
  const names = Object.keys(JSON.parse(text) as object);
  return path.length === 0 ? '' : `member ${names.indexOf(String(path[0])) + 1}`;
};

function keysIn(given: z.infer<typeof ApiKeys>): ReadonlyMap<string, readonly Buffer[]> {
  const keys = Object.entries(given);
  const sources = topology(deployment()).filter((t) => t.types.length === 0 && t.writer === 'signal-ingestion');
  for (const [index, [name]] of keys.entries()) {
    if (sources.some((t) => t.name === topics.signalsInbound(name).name)) continue;
    const isSource = deployment().sources.some((source) => source.name === name);
    const shown = isSource ? `"${name}"` : `the name of member ${index + 1}`;
    throw new Unusable(`${shown} is no source that publishes over HTTP`);
  }
  const owners = new Map<string, string>();
  for (const [name, hashes] of keys)
    for (const hash of [hashes].flat()) {
      const owner = owners.get(hash);
      if (owner !== undefined && owner !== name)
        throw new Unusable(`"${owner}" and "${name}" have the same key; give each source a key of its own`);
      owners.set(hash, name);
    }
  return new Map(keys.map(([name, hashes]) => [name, [hashes].flat().map((h) => Buffer.from(h, 'hex'))]));
}
