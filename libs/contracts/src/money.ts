/* The only place that knows how many decimals a currency has. */

const codes = (text: string): readonly string[] => text.trim().split(/\s+/);

/**
 * Decimals of each currency by ISO 4217, list one, and of some that were withdrawn recently, because statistics of past years name
 * them. `Intl` does not help: it describes how prices are written, and says 0 for HUF, IDR, COP and others.
 */
const byDigits: Readonly<Record<number, readonly string[]>> = {
  0: codes('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  2: codes(`
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
    COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS
    INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD
    NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP
    SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ZWL`),
  3: codes('BHD IQD JOD KWD LYD OMR TND'),
  4: codes('CLF UYW'),
};

const digits: ReadonlyMap<string, number> = new Map(
  Object.entries(byDigits).flatMap(([places, list]) => list.map((code): [string, number] => [code, Number(places)])),
);

/** The codes of ISO 4217 that are known here. */
export const currencyCodes: readonly string[] = [...digits.keys()];

/** Decimals of a currency, by its ISO 4217 code in capitals; undefined for a code that ISO 4217 does not have. */
export const currencyDigits = (currency: string): number | undefined => digits.get(currency);

/** Why a code is no currency; undefined for a currency of ISO 4217. */
export const currencyFault = (code: string): string | undefined =>
  digits.has(code) ? undefined : `ISO 4217 has no currency ${code}`;

/**
 * An amount as people read it, exact for every whole number: `USD 1,320.00`, `JPY 2,000`, `KWD -1.250`. Of a currency that ISO 4217
 * does not have nobody knows the decimals, so the text says what the number counts: `QQQ 2,000 minor units`.
 *
 * @param minor whole number of minor units
 */
export function money(minor: number, currency: string): string {
  const places = currencyDigits(currency);
  const sign = minor < 0 ? '-' : '';
  const figures = String(Math.abs(minor));
  if (places === undefined) return `${currency} ${sign}${grouped(figures)} minor units`;
  if (places === 0) return `${currency} ${sign}${grouped(figures)}`;
  const whole = figures.padStart(places + 1, '0');
  return `${currency} ${sign}${grouped(whole.slice(0, -places))}.${whole.slice(-places)}`;
}

const grouped = (figures: string): string => figures.replace(/\B(?=(?:\d{3})+$)/g, ',');

const written = /^([A-Z]{3}) (-?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?( minor units)?$/;

/**
 * Reads what `money` writes, with or without commas between thousands. Undefined for every other text, for an amount that has more
 * or fewer decimals than its currency, and for one that is too large to be held exactly.
 */
export function moneyOf(text: string): { readonly minor: number; readonly currency: string } | undefined {
  const [, currency, sign, whole, fraction = '', minorUnits] = written.exec(text) ?? [];
  if (currency === undefined || whole === undefined) return undefined;
  // Of a currency that ISO 4217 does not have, only a number of minor units can be read, and of the others only an amount.
  const places = currencyDigits(currency);
  if ((places === undefined) !== (minorUnits !== undefined) || fraction.length !== (places ?? 0)) return undefined;
  const minor = Number(`${whole.replaceAll(',', '')}${fraction}`);
  if (!Number.isSafeInteger(minor)) return undefined;
  return { minor: sign === '' || minor === 0 ? minor : -minor, currency };
}
