/** The members of a signal that say when it was stated, and that identify it. */
export interface Statement {
  readonly source: string;
  readonly signalId: string;
  /** When it happened, by the signal's own time. */
  readonly occurredAt: string;
}

/**
 * Which of two statements about the same thing is the later one: above zero if `a` is later. It compares the signals' own times. If
 * they are equal, it compares source and then id, by their bytes in UTF-8, as `COLLATE "C"` of Postgres does. The order of arrival
 * never decides, so every service stores the same statement. Zero only for one and the same signal.
 */
export function compareStatements(a: Statement, b: Statement): number {
  return (
    Date.parse(a.occurredAt) - Date.parse(b.occurredAt) ||
    byBytes(a.source, b.source) ||
    byBytes(a.signalId, b.signalId)
  );
}

/** Not `<`: that compares UTF-16 units, which would put an emoji before U+FFFD. */
const byBytes = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));
