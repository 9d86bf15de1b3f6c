import { currencyDigits, readAddress, type Seniority } from '@countersign/contracts';
import { z } from 'zod';

/**
 * A time as exports write it (`2020-12-30 3:15:52.1`, ISO 8601, a day, milliseconds in 13 digits), in UTC where no offset is given.
 * Undefined for anything else, and for a day or an hour that no calendar has.
 */
export function instant(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const written =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?)? ?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i.exec(text);
  if (!written) return /^\d{13}$/.test(text) ? new Date(Number(text)).toISOString() : undefined;
  const [, day, hour = '0', minute = '00', second = '00', fraction = '', zone = 'Z'] = written;
  const offset = /^(Z|UTC)$/i.test(zone) ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`;
  // Date.parse takes the 30th of February for the 1st or 2nd of March.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  const time = Date.parse(`${day}T${hour.padStart(2, '0')}:${minute}:${second}${fraction.slice(0, 4)}${offset}`);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** The earliest of the given times. */
export const earliest = (...times: readonly (string | undefined)[]): string | undefined =>
  times.filter((time) => time !== undefined).sort()[0];

/**
 * A decimal as millionths, exactly; undefined where it is no decimal, or one of more than 13 digits before the point: no contract
 * takes such an amount, and a sum with it would be of no use. Digits after the sixth are cut off.
 */
export function millionths(text: string | undefined): bigint | undefined {
  const written = /^(-?)0*(\d{1,13})(?:\.(\d*))?$/.exec(text ?? '');
  if (!written) return undefined;
  const [, sign, whole = '0', fraction = ''] = written;
  const value = BigInt(whole) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
  return sign === '-' ? -value : value;
}

/**
 * Millionths of a currency in its minor units, rounded half away from zero, once, at the end of a sum. Throws RangeError for a
 * currency that ISO 4217 does not have: `currencyCode` lets none through.
 */
export function minorUnits(amount: bigint, currency: string): number {
  const digits = currencyDigits(currency);
  if (digits === undefined) throw new RangeError(`${currency} is no currency of ISO 4217`);
  const per = 10n ** BigInt(6 - digits);
  const size = amount < 0n ? -amount : amount;
  const rounded = (size + per / 2n) / per;
  return Number(amount < 0n ? -rounded : rounded);
}

/** A code of ISO 4217 in capitals; undefined where it is none. */
export function currencyCode(text: string | undefined): string | undefined {
  const code = text?.toUpperCase();
  return code !== undefined && currencyDigits(code) !== undefined ? code : undefined;
}

const countries = new Map<string, string>();
const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
for (const first of letters) {
  for (const second of letters) {
    const name = names.of(first + second);
    if (name && !countries.has(name.toLowerCase())) countries.set(name.toLowerCase(), first + second);
  }
}

/** ISO 3166-1 of a country by its English name or its code. */
export function countryCode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const code = text.toUpperCase();
  return /^[A-Z]{2}$/.test(code) && names.of(code) ? code : countries.get(text.toLowerCase());
}

/** Seniority by the words of a job title; undefined where they do not say. */
export function seniorityOf(title: string | undefined): Seniority | undefined {
  if (title === undefined) return undefined;
  if (/\b(c[efiotmprs]o|chief|founder|owner|president)\b/i.test(title) && !/\bvice\b/i.test(title)) return 'c-suite';
  if (/\b([es]?vp|vice president)\b/i.test(title)) return 'vp';
  if (/\b(director|head of)\b/i.test(title)) return 'director';
  if (/\b(manager|lead)\b/i.test(title)) return 'manager';
  return undefined;
}

/** A text cut to what a contract takes. */
export const text = (value: string | undefined, max: number): string | undefined => value?.slice(0, max);

/** An address, only where it is one: exports often hold hashes in its place. */
export const address = (value: string | undefined): string | undefined =>
  value !== undefined && readAddress(value) ? value : undefined;

/** A link, only where it is one. */
export const link = (value: string | undefined): string | undefined =>
  value !== undefined && value.length <= 1000 && z.url().safeParse(value).success ? value : undefined;

/** A whole number from zero, or undefined. */
export function whole(value: string | undefined): number | undefined {
  const number = value === undefined ? Number.NaN : Number(value);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
