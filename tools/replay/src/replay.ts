import { type Envelope, own } from '@countersign/contracts';
import { NumberStyle } from './figures.js';
import type { Mapping } from './mapping.js';
import { problemsOf, type ReplayReport, type TableCount } from './report.js';
import type { Table } from './rows.js';

/** What ingestion said of one published signal. */
export type Outcome =
  | { readonly as: 'accepted'; readonly id: string; readonly triggers: boolean }
  | { readonly as: 'rejected'; readonly id: string; readonly code: string }
  | { readonly as: 'dead-letter'; readonly id: string };

/** The way to ingestion and back. */
export interface Wire {
  /** Resolves at the broker's acknowledgement. */
  publish(signals: readonly Envelope[]): Promise<void>;
  /** Calls back once for every outcome of a signal published since the wire was opened. */
  onOutcome(listen: (outcome: Outcome) => void): void;
}

export interface ReplayOptions {
  /** How long to wait for another outcome before the rest counts as unanswered, in milliseconds. */
  readonly patienceMs?: number;
  readonly progress?: (counts: {
    readonly rows: number;
    readonly published: number;
    readonly answered: number;
  }) => void;
}

/** Signals published in one request. */
const batch = 500;
/** Lines named of one reason why rows are no signal. */
const maxPlaces = 5;
/** Signals that may wait for their outcome while more are read. */
const ahead = 20_000;

/**
 * Maps every row of the tables once, publishes those that are signals, and waits for the outcome of each. Rows are streamed. Only
 * the data that others look up, the sums of days, and one entry for each signal stay in memory.
 */
export async function replay(
  kind: string,
  tables: readonly Table[],
  mapping: Mapping,
  wire: Wire,
  { patienceMs = 60_000, progress }: ReplayOptions = {},
): Promise<ReplayReport> {
  const counts = new Map<string, Counting>();
  const outcomes = new Outcomes(wire);
  const waiting: Envelope[] = [];
  let rows = 0;
  let published = 0;
  const reportProgress = () => progress?.({ rows, published, answered: outcomes.answered });

  const flush = async (): Promise<void> => {
    const signals = waiting.splice(0);
    if (signals.length === 0) return;
    outcomes.expect(signals);
    await wire.publish(signals);
    published += signals.length;
    reportProgress();
    while (outcomes.open > ahead && (await outcomes.another(patienceMs))) reportProgress();
  };
  const send = async (count: Counting, signals: readonly Envelope[]): Promise<void> => {
    count.signals += signals.length;
    waiting.push(...signals);
    if (waiting.length >= batch) await flush();
  };

  for (const stage of [0, 1] as const) {
    for (const table of tables.filter((t) => mapping.stage(t.name) === stage)) {
      const count = counting(counts, table);
      const style = await styleOf(table, mapping);
      for await (const row of table.rows()) {
        rows += 1;
        count.rows += 1;
        if (rows % 1_000 === 0) reportProgress();
        const mapped = row.ok
          ? mapping.row(table.name, row.cells, style)
          : ({ as: 'none', reason: row.reason } as const);
        if (mapped.as === 'joined') count.joined += 1;
        else if (mapped.as === 'none') {
          add(count.notSignals, mapped.reason, 1);
          see(count.places, mapped.reason, `${table.file}:${row.line}`);
        } else {
          count.inSignals += 1;
          await send(count, mapped.signals);
        }
      }
    }
  }
  for (const end of mapping.finish()) {
    const count = counts.get(end.table);
    if (!count) throw new Error(`${end.table} was never read`);
    count.joined -= end.rows;
    if ('reason' in end) add(count.notSignals, end.reason, end.rows);
    else {
      count.inSignals += end.rows;
      await send(count, [end.signal]);
    }
  }
  await flush();
  while (outcomes.open > 0 && (await outcomes.another(patienceMs))) reportProgress();

  const report = { kind, tables: [...counts.values()], published, ...outcomes.counted() };
  return { ...report, problems: problemsOf(report) };
}

type Counting = { -readonly [K in keyof TableCount]: TableCount[K] } & {
  files: string[];
  notSignals: Record<string, number>;
  places: Record<string, string[]>;
};

/** Reads the table once before its rows are mapped, if it has numbers: only all numbers together show how they are written. */
async function styleOf(table: Table, mapping: Mapping): Promise<NumberStyle> {
  const kinds = mapping.numbers(table.name);
  const style = new NumberStyle(kinds);
  const columns = Object.keys(kinds);
  if (columns.length === 0) return style;
  for await (const row of table.rows()) {
    if (row.ok) for (const column of columns) style.learn(column, row.cells[column] ?? '');
  }
  return style;
}

function counting(counts: Map<string, Counting>, table: Table): Counting {
  const known = counts.get(table.name);
  const count = known ?? { files: [], rows: 0, inSignals: 0, joined: 0, notSignals: {}, places: {}, signals: 0 };
  count.files.push(table.file);
  counts.set(table.name, count);
  return count;
}

const add = (counts: Record<string, number>, name: string, n: number): void => {
  put(counts, name, (own(counts, name) ?? 0) + n);
};

/** Stores the first places of a reason: enough to look them up. */
const see = (places: Record<string, string[]>, reason: string, place: string): void => {
  const known = own(places, reason) ?? [];
  if (known.length < maxPlaces) put(places, reason, [...known, place]);
};

/** A member of the record's own, also under a key that an assignment would not make one of. */
const put = <V>(record: Record<string, V>, key: string, value: V): void => {
  Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
};

/** Published signals and what was heard of them. A row that is there twice is one id published twice, with two outcomes. */
class Outcomes {
  private readonly awaited = new Map<string, number>();
  private readonly rejected: Record<string, number> = {};
  private accepted = 0;
  private triggering = 0;
  private deadLetters = 0;
  private wake: () => void = () => undefined;
  open = 0;
  answered = 0;

  constructor(wire: Wire) {
    wire.onOutcome((outcome) => this.hear(outcome));
  }

  expect(signals: readonly Envelope[]): void {
    for (const { id } of signals) this.awaited.set(id, (this.awaited.get(id) ?? 0) + 1);
    this.open += signals.length;
  }

  /** Resolves at the next outcome with true, or with false when none came for so long. */
  async another(patienceMs: number): Promise<boolean> {
    const before = this.answered;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, patienceMs);
    });
    clearTimeout(timer);
    return this.answered > before;
  }

  counted(): Pick<ReplayReport, 'accepted' | 'triggering' | 'rejected' | 'deadLetters' | 'unanswered'> {
    const { accepted, triggering, rejected, deadLetters } = this;
    return { accepted, triggering, rejected, deadLetters, unanswered: this.open };
  }

  private hear(outcome: Outcome): void {
    const left = this.awaited.get(outcome.id) ?? 0;
    if (left === 0) return;
    if (left === 1) this.awaited.delete(outcome.id);
    else this.awaited.set(outcome.id, left - 1);
    this.open -= 1;
    this.answered += 1;
    if (outcome.as === 'dead-letter') this.deadLetters += 1;
    else if (outcome.as === 'rejected') add(this.rejected, outcome.code, 1);
    else {
      this.accepted += 1;
      if (outcome.triggers) this.triggering += 1;
    }
    this.wake();
  }
}
