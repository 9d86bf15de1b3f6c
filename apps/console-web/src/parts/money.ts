/** How many digits a currency has after the point; 2 where nobody knows it. */
const digitsOf = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;

/** An amount in minor units, with its currency first, as everywhere in the product: "EUR 1,300.00". */
export function money(amountMinor: number, currency: string, locale?: string): string {
  const digits = digitsOf(currency);
  const amount = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${currency} ${amount.format(amountMinor / 10 ** digits)}`;
}

/** An amount that somebody typed, "300", "300.5" or "300,50", in minor units; undefined where it is none or finer than the currency. */
export function minorOf(typed: string, currency: string): number | undefined {
  const digits = digitsOf(currency);
  const parts = /^(\d{1,13})(?:[.,](\d+))?$/.exec(typed.trim());
  if (!parts) return undefined;
  const [, whole = '', fraction = ''] = parts;
  if (fraction.length > digits) return undefined;
  return Number(whole) * 10 ** digits + Number(fraction.padEnd(digits, '0') || 0);
}
