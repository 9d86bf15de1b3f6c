import { currencyDigits, money, own, type Rates } from '@countersign/contracts';
import type { MoneyLedger } from './facts.js';

/** The exchange rates that a verdict used: of the policy's rates those of the currencies that the action and its limits are in. */
export type RatesFact = Rates;

/** The part of the policy's rates that these currencies need; undefined if there are no rates, or if all of it is one currency. */
export function ratesFact(
  rates: Rates | undefined,
  limitsIn: string,
  currencies: readonly (string | null | undefined)[],
): RatesFact | undefined {
  const others = new Set(currencies.filter((code): code is string => typeof code === 'string' && code !== limitsIn));
  if (!rates || others.size === 0) return undefined;
  const needed = [limitsIn, ...others].sort();
  const perBase = needed.flatMap((code) => {
    const rate = own(rates.perBase, code);
    return rate === undefined ? [] : [[code, rate] as const];
  });
  return { ...rates, perBase: Object.fromEntries(perBase) };
}

const dayMs = 86_400_000;

/** Why amounts of one currency cannot be compared with limits in another by these rates; undefined if they can be. */
export function ratesFault(rates: RatesFact, from: string, to: string, at: string): string | undefined {
  const age = Math.floor((Date.parse(at) - Date.parse(`${rates.day}T00:00:00.000Z`)) / dayMs);
  // A day begins earlier in the east than in UTC.
  if (Number.isNaN(age) || age < -1) return `the exchange rates are of ${rates.day}, a day that has not come`;
  if (age > rates.maxAgeDays)
    return `the exchange rates of ${rates.day} are ${age} days old, and at most ${rates.maxAgeDays} are allowed`;
  const missing = [from, to].find((code) => rateOf(rates, code) === undefined);
  return missing === undefined ? undefined : `the exchange rates of ${rates.day} do not have ${missing}`;
}

/** A rate in billionths, exactly as it is written. */
function rateOf({ base, perBase }: RatesFact, code: string): bigint | undefined {
  const rate = code === base ? 1 : own(perBase, code);
  if (rate === undefined || currencyDigits(code) === undefined || !(rate > 0)) return undefined;
  return BigInt(rate.toFixed(9).replace('.', ''));
}

/**
 * An amount as so much of another currency, rounded up to a whole minor unit, so that nothing looks smaller than it is. Exact, and
 * at most the largest number that can be held exactly. Throws if a rate is missing: ask `ratesFault` first.
 */
export function exchanged(minor: number, from: string, to: string, rates: RatesFact): number {
  const [perFrom, perTo] = [rateOf(rates, from), rateOf(rates, to)];
  if (perFrom === undefined || perTo === undefined) throw new Error(`no exchange rate from ${from} to ${to}`);
  const [decimalsFrom, decimalsTo] = [currencyDigits(from) as number, currencyDigits(to) as number];
  const whole = BigInt(minor) * perTo * 10n ** BigInt(decimalsTo);
  const part = perFrom * 10n ** BigInt(decimalsFrom);
  const up = (whole + part - 1n) / part;
  return up > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(up);
}

/** What an amount is compared by. */
interface Compared {
  readonly rates?: RatesFact | undefined;
  readonly to: string;
  readonly at: string;
}

/** An amount in the currency of a limit, and its words; undefined if it cannot be compared with that limit. */
export function comparable(
  minor: number,
  currency: string,
  { rates, to, at }: Compared,
): { readonly minor: number; readonly text: string } | undefined {
  if (currency === to) return { minor, text: money(minor, currency) };
  if (!rates || ratesFault(rates, currency, to, at) !== undefined) return undefined;
  const changed = exchanged(minor, currency, to, rates);
  return { minor: changed, text: `${money(minor, currency)} (${money(changed, to)})` };
}

/** Why an amount of a currency cannot be compared. */
export const whyNot = (currency: string, { rates, to, at }: Compared): string =>
  (rates && ratesFault(rates, currency, to, at)) ?? 'the policy has no exchange rates';

/** A connected system may report a spend as large as a number can be. The figure stays an exact number. */
export const bounded = (minor: number): number => Math.min(minor, Number.MAX_SAFE_INTEGER);

/** A ledger's amounts, one entry for each currency. Empty if nothing was ever booked. */
export const partsOf = (ledger: MoneyLedger): readonly { currency: string; held: number; committed: number }[] => {
  const { held, committed, currency, others = [] } = ledger;
  return [...(currency === null ? [] : [{ currency, held, committed }]), ...others];
};

/** A ledger of these amounts. */
export function moneyLedger(parts: ReturnType<typeof partsOf>): MoneyLedger {
  const [first, ...others] = [...parts].sort((a, b) => (a.currency < b.currency ? -1 : 1));
  if (!first) return { held: 0, committed: 0, currency: null };
  return others.length === 0 ? first : { ...first, others };
}

/** The ledger with another amount held. */
export function withHeld(ledger: MoneyLedger, amount: number, currency: string): MoneyLedger {
  const parts = partsOf(ledger);
  return parts.some((part) => part.currency === currency)
    ? moneyLedger(
        parts.map((part) => (part.currency === currency ? { ...part, held: bounded(part.held + amount) } : part)),
      )
    : moneyLedger([...parts, { currency, held: amount, committed: 0 }]);
}

/** What a ledger holds, in the currency of a limit; or the currency that cannot be compared with it. */
export function totalIn(
  ledger: MoneyLedger,
  compared: Compared,
): { readonly held: number; readonly committed: number } | { readonly foreign: string } {
  let [held, committed] = [0, 0];
  for (const part of partsOf(ledger)) {
    const amounts = [part.held, part.committed].map((minor) => comparable(minor, part.currency, compared)?.minor);
    const [more, spent] = amounts;
    if (more === undefined || spent === undefined) return { foreign: part.currency };
    held = bounded(held + more);
    committed = bounded(committed + spent);
  }
  return { held, committed };
}
