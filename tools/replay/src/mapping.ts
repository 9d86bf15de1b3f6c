import {
  contractFault,
  derivedId,
  digestOf,
  type Envelope,
  type SignalType,
  signalKinds,
} from '@countersign/contracts';
import type { FigureKind, NumberStyle } from './figures.js';
import { Unread } from './reader.js';

/**
 * The outcome of one row. `signals`: it is one or several signals. `joined`: another row's signal contains its content, or it is
 * part of a sum that comes at the end. `none`: no canonical signal, with the reason.
 */
export type Mapped =
  | { readonly as: 'signals'; readonly signals: readonly Envelope[] }
  | { readonly as: 'joined' }
  | { readonly as: 'none'; readonly reason: string };

/** How the rows of one kind of export become signals. Tables are read in order of `stage`, the first ones to look things up in. */
export interface Mapping {
  readonly source: string;
  /** 0: read for others to look up in; 1: after them. Each row of either is mapped once. */
  stage(table: string): 0 | 1;
  row(table: string, cells: Readonly<Record<string, string>>, style?: NumberStyle): Mapped;
  /** The columns of a table that are read as numbers. */
  numbers(table: string): Readonly<Record<string, FigureKind>>;
  /** Signals that are sums of many rows, and why rows of a table became none of them after all. */
  finish(): Iterable<
    | { readonly table: string; readonly rows: number; readonly signal: Envelope }
    | { readonly table: string; readonly rows: number; readonly reason: string }
  >;
}

/** What became of a row, or that it is refused because a cell of it cannot be read. */
export function refusing(row: () => Mapped): Mapped {
  try {
    return row();
  } catch (error) {
    if (error instanceof Unread) return none(error.message);
    throw error;
  }
}

export const joined: Mapped = { as: 'joined' };
export const none = (reason: string): Mapped => ({ as: 'none', reason });

/**
 * One signal, checked by its contract, or why there is none. Its id is derived from the row's origin, its key and its content. So
 * the same row read again is a duplicate, whatever folder it is in, and a changed row is a new signal.
 */
export function signal(
  source: string,
  table: string,
  key: string,
  type: SignalType,
  time: string | undefined,
  data: Readonly<Record<string, unknown>>,
): { readonly ok: true; readonly signal: Envelope } | { readonly ok: false; readonly reason: string } {
  if (time === undefined) return { ok: false, reason: 'its time cannot be read' };
  const given = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
  const parsed = signalKinds[type].inbound.safeParse(given);
  if (!parsed.success) return { ok: false, reason: `does not fit ${type}: ${contractFault(parsed.error).detail}` };
  const id = derivedId(source, table, key, digestOf({ type, time, data: given }));
  return { ok: true, signal: { id, source, type, time, data: given } };
}

/** `signal` as what became of its row. */
export function single(...args: Parameters<typeof signal>): Mapped {
  const made = signal(...args);
  return made.ok ? { as: 'signals', signals: [made.signal] } : none(made.reason);
}

/** A record's key: persons of one account stay in order; no address is ever a key. */
export function keyOf({ id, data }: Envelope): string {
  const { account, contact, adAccountId } = data as {
    account?: { id: string };
    contact?: { ref?: string };
    adAccountId?: string;
  };
  return account?.id ?? contact?.ref ?? adAccountId ?? id;
}
