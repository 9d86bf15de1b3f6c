/** The amount that counts under a limit without the action. */
export interface Total {
  readonly ledger: string;
  readonly held: number;
  readonly committed: number;
  readonly cap: number;
  readonly currency?: string | undefined;
  /** The amount of the action, if it is in another currency than the limit. */
  readonly asked?: number | undefined;
}

/** The amount including the action. */
export interface Figure {
  readonly sum: number;
  readonly cap: number;
}

export interface LimitRow {
  /** Without its day if the two sides are of different days. */
  readonly ledger: string;
  readonly currency: string | undefined;
  /** Undefined if it is not known: the limit did not exist, or was not counted. */
  readonly asked: Figure | undefined;
  /** As `asked`. */
  readonly now: Figure | undefined;
}

/**
 * The name of a limit without the day at the end of the name of a spend, and with the word for any month in place of a month. On the
 * next day the name differs, but the limit is the same.
 */
const withoutDay = (ledger: string): string =>
  ledger.startsWith('spend:')
    ? ledger.replace(/:\d{4}-\d{2}-\d{2}$/, '').replace(/:\d{4}-\d{2}$/, ':each-month')
    : ledger;

/** Each limit once: its state when a person was asked, beside its present state. */
export function limitRows(
  asked: readonly Total[],
  now: readonly Total[] | undefined,
  amountMinor: number | undefined,
): LimitRow[] {
  const figure = ({ held, committed, cap, currency, asked: exchanged }: Total): Figure => ({
    sum: held + committed + (currency === undefined ? 1 : (exchanged ?? amountMinor ?? 0)),
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
