/* As ISO 4217 has it, and `money` of libs/contracts; `Intl` says 0 for HUF, IDR, COP and others, a hundred times too much. */
const codes = (text: string): readonly string[] => text.split(' ');
const byDigits = [
  [0, codes('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF')],
  [3, codes('BHD IQD JOD KWD LYD OMR TND')],
  [4, codes('CLF UYW')],
] as const;

/** How many digits a currency has after the point; 2 where nobody knows it. */
const digitsOf = (currency: string): number => byDigits.find(([, list]) => list.includes(currency))?.[0] ?? 2;

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
