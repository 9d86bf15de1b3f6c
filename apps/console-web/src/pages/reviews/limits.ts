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
  readonly ledger: string;
  readonly currency: string | undefined;
  /** Undefined where there was no such limit then. */
  readonly asked: Figure | undefined;
  /** Undefined where there is no such limit now, or nobody has said. */
  readonly now: Figure | undefined;
}

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
    rows.set(total.ledger, { ledger: total.ledger, currency: total.currency, asked: figure(total), now: undefined });
  for (const total of now ?? [])
    rows.set(total.ledger, {
      ...{ ledger: total.ledger, currency: total.currency, now: figure(total) },
      asked: rows.get(total.ledger)?.asked,
    });
  return [...rows.values()];
}
