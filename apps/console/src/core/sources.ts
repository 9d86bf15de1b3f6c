import type { DataOf, Deployment, Fault } from '@countersign/contracts';

export type NamedSource = Pick<Deployment['sources'][number], 'name' | 'source' | 'via'>;

/** Signals of a source in one minute with one outcome: `accepted`, or the code of the rejection. */
export interface Heard {
  readonly source: string;
  readonly minute: string;
  readonly outcome: string;
  readonly n: number;
  readonly at: string;
}

export interface Rejection {
  readonly source: string;
  readonly signalId: string | null;
  readonly type: string | null;
  readonly code: string;
  readonly reasons: readonly Fault[];
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly at: string;
}

/**
 * The name of the source whose events have this CloudEvents `source`. If there is no such source any more, the name that it gave
 * itself.
 */
export const nameOfSource = (sources: readonly NamedSource[], signalsSource: string): string =>
  sources.find(({ source }) => signalsSource === source || signalsSource.startsWith(`${source}/`))?.name ??
  signalsSource;

/** The topic shows the source of a rejected signal. The signal's own `source` may be the wrong part. */
export const sourceOfRejection = ({ topic, source }: Pick<DataOf<'SignalRejected'>, 'topic' | 'source'>): string =>
  /^signals\.inbound\.(.+)\.v1$/.exec(topic)?.[1] ?? source;

/** Only the first reason counts. At present there is only one. */
export const codeOf = ({ reasons }: DataOf<'SignalRejected'>): string => reasons[0]?.code ?? 'unknown';

export const rejectionOf = (data: DataOf<'SignalRejected'>): Rejection => ({
  source: sourceOfRejection(data),
  signalId: data.signalId ?? null,
  type: data.type ?? null,
  code: codeOf(data),
  reasons: data.reasons,
  topic: data.topic,
  partition: data.partition,
  offset: data.offset,
  at: data.receivedAt,
});

const minuteOf = (at: string): string => `${at.slice(0, 16)}:00.000Z`;

/** Counts a signal of a source in its minute. */
export function hear(all: Map<string, Heard>, source: string, outcome: string, at: string): void {
  const minute = minuteOf(at);
  const key = `${source}\u0000${minute}\u0000${outcome}`;
  const before = all.get(key);
  all.set(key, { source, minute, outcome, n: (before?.n ?? 0) + 1, at: before && before.at > at ? before.at : at });
}

/** The counts of one source from the database: of the last hour, and of the last day including that hour. */
export interface SourceCount {
  readonly source: string;
  readonly outcome: string;
  readonly hour: number;
  readonly day: number;
}
export interface LastHeard {
  readonly source: string;
  readonly acceptedAt: string | null;
  readonly rejectedAt: string | null;
}

/** The state of a source: no signal ever; none in a day; signals came; or more were rejected than accepted within the hour. */
export const sourceStates = ['never', 'quiet', 'heard', 'rejected'] as const;
export type SourceState = (typeof sourceStates)[number];

export interface SourceHealth {
  readonly name: string;
  readonly via: 'http' | 'kafka' | null;
  readonly source: string | null;
  readonly state: SourceState;
  readonly lastHour: { readonly accepted: number; readonly rejected: number };
  readonly lastDay: { readonly accepted: number; readonly rejected: number };
  readonly rejectedBy: readonly { readonly code: string; readonly n: number }[];
  readonly acceptedAt: string | null;
  readonly rejectedAt: string | null;
}

/** Each source of the installation, silent ones too; then former sources from which signals came. */
export function sourcesHealth(
  sources: readonly NamedSource[],
  counts: readonly SourceCount[],
  arrivals: readonly LastHeard[],
): SourceHealth[] {
  const known = new Map<string, NamedSource>(sources.map((source) => [source.name, source]));
  const others = arrivals.map(({ source }) => source).filter((name) => !known.has(name));
  return [...known.keys(), ...others.sort()].map((name) => {
    const own = counts.filter(({ source }) => source === name);
    const sum = (span: 'hour' | 'day') => ({
      accepted: total(own.filter(isAccepted), span),
      rejected: total(
        own.filter((count) => !isAccepted(count)),
        span,
      ),
    });
    const last = arrivals.find(({ source }) => source === name);
    const [lastHour, lastDay] = [sum('hour'), sum('day')];
    return {
      name,
      via: known.get(name)?.via ?? null,
      source: known.get(name)?.source ?? null,
      state: stateOf(last !== undefined, lastHour, lastDay),
      lastHour,
      lastDay,
      rejectedBy: own
        .filter((count) => !isAccepted(count) && count.day > 0)
        .map(({ outcome, day }) => ({ code: outcome, n: day }))
        .sort((a, b) => b.n - a.n || (a.code < b.code ? -1 : 1)),
      acceptedAt: last?.acceptedAt ?? null,
      rejectedAt: last?.rejectedAt ?? null,
    };
  });
}

const isAccepted = ({ outcome }: SourceCount): boolean => outcome === 'accepted';
const total = (counts: readonly SourceCount[], span: 'hour' | 'day'): number =>
  counts.reduce((sum, { hour, day }) => sum + (span === 'hour' ? hour : day), 0);

type Sums = SourceHealth['lastHour'];
function stateOf(arrivals: boolean, hour: Sums, day: Sums): SourceState {
  if (!arrivals) return 'never';
  if (day.accepted + day.rejected === 0) return 'quiet';
  return hour.rejected > hour.accepted ? 'rejected' : 'heard';
}
