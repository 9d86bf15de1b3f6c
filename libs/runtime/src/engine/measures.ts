import { attributes as a, count, isOn, type Moment, observe, record, since } from '@countersign/telemetry';
import type { Ago } from '../api/ago.js';
import type { Database } from '../database/database.js';
import type { Handled } from '../inbox/inbox.js';
import { openGaps } from '../kafka/gaps.js';
import type { Emitted } from '../outbox/outgoing.js';
import type { Clock } from './clock.js';

/** Counts a batch that was handled and published. `times` are the times of its fresh events. */
export function batchMeasured(batch: {
  readonly service: string;
  readonly topic: string;
  readonly began: Moment;
  readonly records: number;
  readonly handled: Handled;
  readonly times: () => readonly string[];
}): void {
  if (!isOn()) return;
  const { topic, handled } = batch;
  const here = { [a.system]: 'kafka', [a.destination]: topic, [a.group]: batch.service };
  record('messaging.process.duration', since(batch.began) / 1000, { ...here, [a.operationName]: 'process' });
  count('messaging.client.consumed.messages', batch.records, { ...here, [a.operationName]: 'process' });
  const outcomes = { handled: handled.fresh, redelivered: handled.redelivered, duplicate: handled.duplicate };
  for (const [outcome, n] of Object.entries({ ...outcomes, 'dead-letter': handled.dead }))
    count('countersign.events', n, { [a.destination]: topic, [a.eventOutcome]: outcome });
  if (handled.fresh > 0) record('countersign.batch.size', handled.fresh, { [a.destination]: topic });
  const now = Date.now();
  for (const time of batch.times())
    record('countersign.event.age', Math.max(0, now - Date.parse(time)) / 1000, { [a.destination]: topic });
}

/** Counts a batch that failed and will come again. */
export function batchFailed(service: string, topic: string, began: Moment, failure: string): void {
  record('messaging.process.duration', since(began) / 1000, {
    [a.system]: 'kafka',
    [a.destination]: topic,
    [a.group]: service,
    [a.operationName]: 'process',
    [a.errorType]: failure,
  });
}

/** Counts committed outputs. Each is counted once, even if it is published several times. */
export function messagesMeasured(messages: readonly Emitted[]): void {
  if (!isOn()) return;
  for (const { headers, data } of messages) measures[headers.ce_type ?? '']?.(data as MeasuredData);
}

/** What is read from an event's data: names that the contracts list, nothing that outsiders wrote. */
interface MeasuredData {
  readonly agent?: string;
  readonly verdict?: {
    readonly outcome: string;
    readonly tier?: number | string | null;
    readonly reasons: readonly { readonly rule: string; readonly outcome: string }[];
  };
  readonly outcome?: string;
  readonly executor?: string;
  readonly decision?: string;
  readonly topic?: string;
  readonly reason?: { readonly code: string };
  readonly reasons?: readonly { readonly code: string }[];
  readonly fault?: { readonly code: string };
}

/** How each type of event is counted. */
const measures: Readonly<Record<string, (data: MeasuredData) => void>> = {
  SignalAccepted: () => count('countersign.signals', 1, { [a.outcome]: 'accepted' }),
  SignalRejected: ({ reasons }) =>
    count('countersign.signals', 1, { [a.outcome]: 'rejected', [a.reason]: reasons?.[0]?.code ?? 'none' }),
  TaskSettled: ({ agent = '', outcome = '' }) =>
    count('countersign.tasks', 1, { [a.agent]: agent, [a.outcome]: outcome }),
  ActionApproved: verdict,
  ActionRefused: verdict,
  ActionEscalated: verdict,
  ReviewDecided: ({ decision = '' }) => count('countersign.reviews', 1, { [a.outcome]: decision }),
  ActionSettled: ({ executor = '', outcome = '' }) =>
    count('countersign.permits.settled', 1, { [a.executor]: executor, [a.outcome]: outcome }),
  PermitRejected: ({ reason }) => count('countersign.permits.rejected', 1, { [a.reason]: reason?.code ?? 'none' }),
  DeadLetter: ({ topic = '', fault }) =>
    count('countersign.dead_letters', 1, { [a.destination]: topic, [a.reason]: fault?.code ?? 'none' }),
};

/** A verdict counts once for each rule that decided it, and once under `none` if no rule did. */
function verdict({ agent = '', verdict: found }: MeasuredData): void {
  if (!found) return;
  const rules = new Set(found.reasons.flatMap(({ rule, outcome }) => (outcome === 'pass' ? [] : [rule])));
  for (const rule of rules.size > 0 ? rules : ['none'])
    count('countersign.verdicts', 1, {
      [a.outcome]: found.outcome,
      [a.rule]: rule,
      [a.agent]: agent,
      [a.tier]: String(found.tier ?? 'none'),
    });
}

/** Measures values at each export, in place of a counter. Resolves to a function that ends it. */
export function watch(deps: {
  readonly db: Database;
  readonly now: () => string;
  /** Events of each partition (`topic/partition`) that are not handled yet. */
  readonly lag: () => Readonly<Record<string, number>>;
  /** Partitions (`topic/partition`) whose oldest unread event will soon be deleted by age. */
  readonly expiring: () => readonly string[];
  readonly comparedAgo: () => Readonly<Record<string, Ago | null>>;
  readonly clock: Clock;
}): () => void {
  const stopMemory = observe(
    ['countersign.consumer.lag', 'countersign.consumer.expiring', 'countersign.state.age', 'countersign.clock.ahead'],
    (report) => {
      for (const [reference, seconds] of deps.clock.ahead())
        report('countersign.clock.ahead', seconds, { [a.reference]: reference });
      const where = (place: string) => {
        const at = place.lastIndexOf('/');
        return { [a.destination]: place.slice(0, at), [a.partition]: place.slice(at + 1) };
      };
      for (const [place, lag] of Object.entries(deps.lag())) report('countersign.consumer.lag', lag, where(place));
      for (const place of deps.expiring()) report('countersign.consumer.expiring', 1, where(place));
      for (const [topic, since] of Object.entries(deps.comparedAgo()))
        if (since !== null) report('countersign.state.age', since() / 1000, { [a.destination]: topic });
    },
  );
  const jobs = ['countersign.jobs', 'countersign.jobs.oldest', 'countersign.jobs.attempts'] as const;
  const stopJobs = observe(jobs, async (report) => {
    const now = deps.now();
    const rows = await deps.db.read<{
      kind: string;
      waiting: number;
      due: number;
      attempts: number;
      oldest: Date | null;
    }>(
      `SELECT kind, count(*) FILTER (WHERE due_at > $1) AS waiting, count(*) FILTER (WHERE due_at <= $1) AS due,
         max(claims) AS attempts, min(due_at) FILTER (WHERE due_at <= $1) AS oldest FROM jobs GROUP BY kind`,
      [now],
    );
    for (const { kind, waiting, due, attempts, oldest } of rows) {
      report('countersign.jobs', waiting, { [a.jobKind]: kind, [a.jobState]: 'waiting' });
      report('countersign.jobs', due, { [a.jobKind]: kind, [a.jobState]: 'due' });
      report('countersign.jobs.attempts', attempts, { [a.jobKind]: kind });
      const overdue = oldest === null ? 0 : (Date.parse(now) - oldest.getTime()) / 1000;
      report('countersign.jobs.oldest', overdue, { [a.jobKind]: kind });
    }
  });
  const stopGaps = observe(['countersign.gaps'], async (report) => {
    const gaps = Map.groupBy(await openGaps(deps.db), ({ topic, reason }) => `${topic} ${reason}`);
    for (const [first, ...more] of gaps.values())
      if (first)
        report('countersign.gaps', 1 + more.length, { [a.destination]: first.topic, [a.reason]: first.reason });
  });
  return () => {
    stopMemory();
    stopJobs();
    stopGaps();
  };
}
