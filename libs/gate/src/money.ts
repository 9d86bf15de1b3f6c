const digits = new Map<string, number>();

/** An amount of minor units as people read it: `USD 20.00`, `JPY 2000`. */
export function money(minor: number, currency: string): string {
  let places = digits.get(currency);
  if (places === undefined) {
    places = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
    digits.set(currency, places);
  }
  return `${currency} ${(minor / 10 ** places).toFixed(places)}`;
}

const days = new Map<string, Intl.DateTimeFormat>();

/** The calendar day of an instant in a time zone, `2026-11-21`. Throws RangeError for a zone that does not exist. */
export function dayIn(timeZone: string, at: string): string {
  let format = days.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    days.set(timeZone, format);
  }
  return format.format(new Date(at));
}
