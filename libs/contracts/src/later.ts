/** What of a signal says when it was stated, and which one it is. */
export interface Statement {
  readonly source: string;
  readonly signalId: string;
  /** When it happened, by the signal's own time. */
  readonly occurredAt: string;
}

/**
 * Which of two statements about the same thing is the later one: above zero where `a` is. By the signals' own time; a tie is
 * decided by source and then id, in the order of their bytes in UTF-8, as `COLLATE "C"` of Postgres has them. Arrival never
 * decides, so every service keeps the same statement. Zero only for one and the same signal.
 */
export function compareStatements(a: Statement, b: Statement): number {
  return (
    Date.parse(a.occurredAt) - Date.parse(b.occurredAt) ||
    byBytes(a.source, b.source) ||
    byBytes(a.signalId, b.signalId)
  );
}

/** Not `<`: that compares units of UTF-16, which puts an emoji before U+FFFD. */
const byBytes = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));
