import { type Attempt, attempts, type Expected } from './plan.js';

/** What was found of one attempt. */
export interface Found {
  /** The record of the forged action: an event, or the broker's refusal. Null: nothing. */
  readonly record: {
    readonly as: Expected['as'] | 'executed';
    readonly outcome?: string;
    readonly code?: string;
  } | null;
  /** Effects of the forged action that the connected system shows. */
  readonly badEffects: number;
  /** Effects of the honest action, and how often it was settled as executed. */
  readonly twinEffects: number;
  readonly twinExecuted: number;
}

export type Seen =
  | { readonly tried: true; readonly found: Found }
  /** `heldUp`: the gate refused the honest action, for example in quiet hours. */
  | { readonly tried: false; readonly reason: string; readonly heldUp?: true };

export interface Row {
  readonly id: Attempt['id'];
  readonly what: string;
  readonly expected: string;
  readonly happened: string;
  readonly verdict: 'held' | 'ran' | 'no-record' | 'twin-failed' | 'not-tried' | 'not-measured';
}

export interface ProbeReport {
  /** Nothing ran, everything left a record, and every honest twin ran exactly once. False if an honest action was refused, and if nothing was tried. */
  readonly ok: boolean;
  readonly run: string;
  readonly tried: number;
  readonly ran: number;
  readonly rows: readonly Row[];
}

/** Judges the findings of every attempt. If nothing was seen, this counts as leaving no record. */
export function judgeProbe(run: string, seen: ReadonlyMap<string, Seen>, planned = attempts): ProbeReport {
  const rows = planned.map((attempt) => judgeOne(attempt, seen.get(attempt.id)));
  const tried = rows.filter(({ verdict }) => wasTried(verdict));
  const measured = rows.every(({ verdict }) => verdict !== 'not-measured');
  return {
    ok: measured && tried.length > 0 && tried.every((row) => row.verdict === 'held'),
    run,
    tried: tried.length,
    ran: rows.filter((row) => row.verdict === 'ran').length,
    rows,
  };
}

export const wasTried = (verdict: Row['verdict']): boolean => verdict !== 'not-tried' && verdict !== 'not-measured';

function judgeOne({ id, what, expected }: Attempt, seen: Seen | undefined): Row {
  const row = (happened: string, verdict: Row['verdict']): Row => ({
    id,
    what,
    expected: expectedText(expected),
    happened,
    verdict,
  });
  if (!seen) return row('nothing was seen of it', 'no-record');
  if (!seen.tried)
    return seen.heldUp
      ? row(`not measured: ${seen.reason}`, 'not-measured')
      : row(`not tried: ${seen.reason}`, 'not-tried');
  const { record, badEffects, twinEffects, twinExecuted } = seen.found;
  const happened = record ? foundText(record) : 'no record';
  if (badEffects > 0 || record?.as === 'executed') return row(`IT RAN (${happened})`, 'ran');
  if (!record || !matches(expected, record)) return row(happened, 'no-record');
  if (twinEffects !== 1 || twinExecuted !== 1) {
    const detail = `its honest twin: ${twinEffects} effects, ${twinExecuted} times settled as executed`;
    return row(`${happened}; ${detail}`, 'twin-failed');
  }
  return row(`${happened}; its twin ran once`, 'held');
}

function matches(expected: Expected, record: NonNullable<Found['record']>): boolean {
  if (expected.as !== record.as) return false;
  if (expected.as === 'settled' && expected.outcome !== record.outcome) return false;
  return !('codes' in expected) || expected.codes.includes(record.code ?? '');
}

const expectedText = (expected: Expected): string => {
  switch (expected.as) {
    case 'rejected':
      return `rejected: ${expected.codes.join(' or ')}`;
    case 'settled':
      return `settled ${expected.outcome}`;
    case 'refused':
      return `refused: ${expected.codes.join(' or ')}`;
    case 'dead-letter':
      return `dead letter: ${expected.codes.join(' or ')}`;
    case 'broker':
      return 'refused by the broker';
    case 'waiting':
      return 'waits';
    case 'ignored':
      return 'does not count';
  }
};

function foundText({ as, outcome, code }: NonNullable<Found['record']>): string {
  const because = code === undefined ? '' : `: ${code}`;
  switch (as) {
    case 'executed':
      return 'settled executed';
    case 'rejected':
      return `rejected${because}`;
    case 'settled':
      return `settled ${outcome}${because}`;
    case 'refused':
      return `refused${because}`;
    case 'dead-letter':
      return `dead letter${because}`;
    case 'broker':
      return `refused by the broker${because}`;
    case 'waiting':
      return 'waits, on the record';
    case 'ignored':
      return 'on its topic, without effect';
  }
}
