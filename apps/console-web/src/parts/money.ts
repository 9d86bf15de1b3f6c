import { currencyDigits } from '../generated/currencies.js';

/** How many digits a currency has after the point, by ISO 4217; undefined for a code that ISO 4217 does not have. */
const digitsOf = (currency: string): number | undefined =>
  Object.hasOwn(currencyDigits, currency) ? currencyDigits[currency] : undefined;

const inGroups = (figures: string): string => figures.replace(/\B(?=(?:\d{3})+$)/g, ',');

/**
 * An amount in minor units, with its currency first, in the same form everywhere in the product: "EUR 1,300.00". Exact for every
 * whole number. For a code that ISO 4217 does not have: "QQQ 2,000 minor units".
 */
export function money(amountMinor: number, currency: string): string {
  const digits = digitsOf(currency);
  const sign = amountMinor < 0 ? '-' : '';
  const figures = String(Math.abs(amountMinor));
  if (digits === undefined) return `${currency} ${sign}${inGroups(figures)} minor units`;
  if (digits === 0) return `${currency} ${sign}${inGroups(figures)}`;
  const whole = figures.padStart(digits + 1, '0');
  return `${currency} ${sign}${inGroups(whole.slice(0, -digits))}.${whole.slice(-digits)}`;
}

/** An amount that a person typed, in minor units; or the text that says what to write instead. */
export type Typed = { readonly minor: number } | { readonly fault: string };

const plain = /^(\d{1,13})(?:\.(\d+))?$/;
const grouped = /^([1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d+))?$/;
const withComma = /^(\d{1,13}),(\d+)$/;

/**
 * Reads an amount by one rule. The point is the decimal mark, as everywhere in the product. Commas are separators of thousands if
 * they make groups of three. Otherwise one comma is the decimal mark. If the currency has three or more digits after the point, a
 * comma could be both, and the amount is refused. An amount that is finer than the currency is refused too, and so is every amount of
 * a currency that ISO 4217 does not have: nobody knows its decimals.
 */
export function amountOf(typed: string, currency: string): Typed {
  const text = typed.trim();
  const digits = digitsOf(currency);
  if (digits === undefined) return { fault: 'Write the currency first: a code of ISO 4217, such as EUR.' };
  const groups = grouped.exec(text);
  const decimal = withComma.exec(text);
  if (groups && decimal && digits >= 3)
    return { fault: `Write ${text.replace(',', '')} or ${text.replace(',', '.')}: “${text}” can mean both.` };
  const [, whole, fraction = ''] = plain.exec(text) ?? groups ?? decimal ?? [];
  if (whole === undefined) return { fault: 'Write an amount such as 300, 300.50 or 1,300.50.' };
  if (fraction.length > digits)
    return { fault: digits === 0 ? 'Write a whole number.' : `Write at most ${digits} digits after the point.` };
  const minor = Number(whole.replaceAll(',', '')) * 10 ** digits + Number(fraction.padEnd(digits, '0') || 0);
  return Number.isSafeInteger(minor) ? { minor } : { fault: 'Write a smaller amount.' };
}
