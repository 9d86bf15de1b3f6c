import type { Gap } from '../kafka/gaps.js';
import type { Difference } from '../kafka/topic-settings.js';
import type { Ignored } from '../state/state.js';

/** The health of a service, with the details that `GET /health` shows to permitted callers. */
export interface Health {
  readonly status: 'starting' | 'ok' | 'degraded' | 'stopping';
  readonly service: string;
  /** Whether the service takes work: it has begun, its database and its broker answer, and it knows the time. */
  readonly ready: boolean;
  /** Whether the service itself is well. It may be degraded by a problem of others that a restart would not repair. */
  readonly well: boolean;
  readonly checks: Readonly<Record<string, unknown>>;
}

type ByName<Value> = Readonly<Record<string, Value>>;

/** What the database says about itself, and what is read from it for the health page. */
export interface DatabaseHealth {
  /** 'ok', or what is wrong. */
  readonly detail: string;
  readonly gaps: readonly Gap[];
  /** For each partition, how many records are still to be handled again after a restore. */
  readonly restored: ByName<number>;
}

/** What a provider of the service shows on its health page, see `Runtime.addHealth`. */
export interface ProviderHealth {
  readonly name: string;
  readonly found: ByName<string>;
  readonly whom: 'itself' | 'others';
}

/** All facts from which the health of a service is judged. */
export interface HealthFacts {
  readonly service: string;
  readonly phase: Health['status'];
  readonly database: DatabaseHealth;
  /** States of the consumers. */
  readonly consumers: readonly string[];
  /** Partitions whose oldest unread record will soon be deleted by age. */
  readonly expiring: readonly string[];
  readonly topicsMissing: readonly string[];
  readonly rightsMissing: ByName<string>;
  readonly crashed: ByName<string>;
  readonly paused: ByName<string>;
  readonly slow: ByName<number>;
  readonly stale: ByName<number>;
  readonly providers: readonly ProviderHealth[];
  readonly misset: readonly Difference[];
  /** A text, if the clock is off. */
  readonly clockOff: string | undefined;
  readonly knowsTime: boolean;
  /** Absent: the service follows no state. */
  readonly stateAgeMs: ByName<number | null> | undefined;
  readonly stateIgnored: ByName<Ignored>;
  readonly stateTakenOver: ByName<number>;
  readonly stateOvertaken: ByName<string>;
}

/** One member of the page: whether its content troubles the service, only others, or nobody. */
interface Check {
  readonly name: string;
  readonly shows: unknown;
  readonly troubles: 'itself' | 'others' | 'nobody';
}

const isEmpty = (members: object): boolean => Object.keys(members).length === 0;

/** Shown while it has content. Then the service counts as unwell, if `troubles` is `itself`. */
const trouble = (name: string, found: object, troubles: Check['troubles'] = 'itself'): readonly Check[] =>
  isEmpty(found) ? [] : [{ name, shows: found, troubles }];

/** Shown while it has content. It is no reason to send callers away. */
const note = (name: string, found: object): readonly Check[] => trouble(name, found, 'nobody');

const mapValues = <From, To>(members: ByName<From>, to: (value: From) => To): ByName<To> =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, to(value)]));

const settingsOf = (misset: readonly Difference[]): ByName<string> =>
  Object.fromEntries(
    misset.map(({ topic, setting, is: actual, wanted }) => [
      `${topic} ${setting}`,
      `${actual ?? 'unknown'}, not ${wanted}`,
    ]),
  );

/** Judges the health of a service. */
export function healthOf(facts: HealthFacts): Health {
  const { service, phase, database, stateAgeMs } = facts;
  const consumer = facts.consumers.find((state) => state !== 'running') ?? 'running';
  const all: readonly Check[] = [
    { name: 'database', shows: database.detail, troubles: database.detail === 'ok' ? 'nobody' : 'itself' },
    ...trouble('gaps', database.gaps),
    ...note('restored', database.restored),
    { name: 'consumer', shows: consumer, troubles: consumer === 'running' ? 'nobody' : 'itself' },
    ...trouble('expiring', facts.expiring),
    ...trouble('topicsMissing', facts.topicsMissing),
    ...trouble('rightsMissing', facts.rightsMissing),
    ...trouble('crashed', facts.crashed),
    ...trouble('paused', facts.paused),
    ...trouble('slow', facts.slow),
    ...trouble('stale', facts.stale),
    ...facts.providers.flatMap(({ name, found, whom: troubles }) => trouble(name, found, troubles)),
    ...note('topicSettings', settingsOf(facts.misset)),
    { name: 'clock', shows: facts.clockOff ?? 'ok', troubles: facts.clockOff === undefined ? 'nobody' : 'itself' },
    ...(stateAgeMs ? [{ name: 'stateAgeMs', shows: stateAgeMs, troubles: 'nobody' } as const] : []),
    ...note(
      'stateIgnored',
      mapValues(facts.stateIgnored, ({ records, last }) => `${records} records, the last at ${last}`),
    ),
    ...note('stateTakenOver', facts.stateTakenOver),
    ...trouble('stateOvertaken', facts.stateOvertaken),
  ];
  const well = phase === 'ok' && !all.some(({ troubles }) => troubles === 'itself');
  const sound = well && !all.some(({ troubles }) => troubles === 'others');
  return {
    status: phase === 'ok' ? (sound ? 'ok' : 'degraded') : phase,
    service,
    // Something that waits for a person, such as a gap, or that holds up one partition is no reason to send callers away.
    ready: phase === 'ok' && database.detail === 'ok' && consumer === 'running' && facts.knowsTime,
    well,
    checks: Object.fromEntries(all.map(({ name, shows }) => [name, shows])),
  };
}
