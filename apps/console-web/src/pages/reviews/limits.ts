/** What counts under a limit without the action. */
export interface Total {
  readonly ledger: string;
  readonly held: number;
  readonly committed: number;
  readonly cap: number;
  readonly currency?: string | undefined;
}

/** With the action counted in. */
export interface Figure {
  readonly sum: number;
  readonly cap: number;
}

export interface LimitRow {
  /** Without its day where both sides are of different days. */
  readonly ledger: string;
  readonly currency: string | undefined;
  /** Undefined where nobody has said: there was no such limit, or it was not counted. */
  readonly asked: Figure | undefined;
  /** As `asked`. */
  readonly now: Figure | undefined;
}

/** The name of a limit without the day that a spend has at its end: the next day counts under another name, and it is the same limit. */
const withoutDay = (ledger: string): string =>
  ledger.startsWith('spend:') ? ledger.replace(/:\d{4}-\d{2}-\d{2}$/, '') : ledger;

/** Each limit once: as it was when a person was asked, beside what it is now. */
export function limitRows(
  asked: readonly Total[],
  now: readonly Total[] | undefined,
  amountMinor: number | undefined,
): LimitRow[] {
  const figure = ({ held, committed, cap, currency }: Total): Figure => ({
    sum: held + committed + (currency === undefined ? 1 : (amountMinor ?? 0)),
    cap,
  });
  const rows = new Map<string, LimitRow>();
  for (const total of asked)
    rows.set(withoutDay(total.ledger), {
      ...{ ledger: total.ledger, currency: total.currency, asked: figure(total) },
      now: undefined,
    });
  for (const total of now ?? []) {
    const name = withoutDay(total.ledger);
    const before = rows.get(name);
    rows.set(name, {
      ledger: before === undefined || before.ledger === total.ledger ? total.ledger : name,
      ...{ currency: total.currency, asked: before?.asked, now: figure(total) },
    });
  }
  return [...rows.values()];
}
