/* As ISO 4217 has it, and `money` of libs/contracts; `Intl` says 0 for HUF, IDR, COP and others, a hundred times too much. */
const codes = (text: string): readonly string[] => text.split(' ');
const byDigits = [
  [0, codes('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF')],
  [3, codes('BHD IQD JOD KWD LYD OMR TND')],
  [4, codes('CLF UYW')],
] as const;

/** How many digits a currency has after the point; 2 for an unknown currency. */
const digitsOf = (currency: string): number => byDigits.find(([, list]) => list.includes(currency))?.[0] ?? 2;

/** An amount in minor units, with its currency first, in the same form everywhere in the product: "EUR 1,300.00". */
export function money(amountMinor: number, currency: string): string {
  const digits = digitsOf(currency);
  const amount = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${currency} ${amount.format(amountMinor / 10 ** digits)}`;
}

/** An amount that a person typed, in minor units; or the text that says what to write instead. */
export type Typed = { readonly minor: number } | { readonly fault: string };

const plain = /^(\d{1,13})(?:\.(\d+))?$/;
const grouped = /^([1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d+))?$/;
const withComma = /^(\d{1,13}),(\d+)$/;

/**
 * Reads an amount by one rule. The point is the decimal mark, as everywhere in the product. Commas are separators of thousands if
 * they make groups of three. Otherwise one comma is the decimal mark. If the currency has three or more digits after the point, a
 * comma could be both, and the amount is refused. An amount that is finer than the currency is refused too.
 */
export function amountOf(typed: string, currency: string): Typed {
  const text = typed.trim();
  const digits = digitsOf(currency);
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
