import { readAddress } from '@countersign/contracts';
import type { Folded } from './folded.js';

/** Personal data in a text: where, and of what kind. What it says is never repeated. */
export interface Personal {
  readonly kind: 'an e-mail address' | 'a telephone number' | 'an id such as that of a contact';
  /** Offsets in the folded text. */
  readonly start: number;
  readonly end: number;
}

/** What is not personal data, because it is our own. */
export interface Ours {
  readonly address: (address: string) => boolean;
  readonly telephone: (digits: string) => boolean;
}

export function oursOf(written: readonly string[]): Ours {
  const identity = (text: string): string => readAddress(text)?.identity ?? text.toLowerCase();
  const domains = written.filter((entry) => entry.startsWith('@')).map((entry) => entry.toLowerCase());
  const addresses = new Set(written.filter((entry) => entry.indexOf('@') > 0).map(identity));
  const numbers = new Set(written.filter((entry) => !entry.includes('@')).map(digitsOf));
  return {
    address: (address) =>
      addresses.has(identity(address)) || domains.some((domain) => identity(address).endsWith(domain)),
    telephone: (digits) => numbers.has(digits),
  };
}

const digitsOf = (text: string): string => text.replace(/\D/g, '');

export function personalIn({ text }: Folded, ours: Ours): readonly Personal[] {
  const found = [...addressesIn(text, ours)];
  // Ids first, because a telephone number may seem to be inside one.
  const ids = [...text.matchAll(uuid)].map(({ 0: id, index }) => ({ start: index, end: index + id.length }));
  found.push(...ids.map((place) => ({ kind: 'an id such as that of a contact' as const, ...place })));
  if (!/\d[\d\s().\-/]{5}/.test(text)) return found;
  for (const { 0: number, index } of text.matchAll(telephone)) {
    const end = index + number.length;
    const inside = ids.some((id) => index < id.end && end > id.start);
    if (inside || date.test(number) || ours.telephone(digitsOf(number))) continue;
    found.push({ kind: 'a telephone number', start: index, end });
  }
  return found;
}

const uuid = /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])/g;

/**
 * International (`+49 30 1234567`, `0049…`), national with its leading zero (`030 1234567`), and of North America (`(415) 555-0132`).
 * Each repetition has a bound and consumes a digit.
 */
const telephone =
  /(?<![\p{L}\p{N}+])(?:(?:\+|00)[1-9](?:[ ().\-/]{0,3}\d){6,14}|\(?0[1-9](?:[ ().\-/]{0,3}\d){5,13}|\(?[2-9]\d{2}\)?[ .-]{1,2}\d{3}[ .-]\d{4})(?![\p{L}\p{N}])/gu;
/** A day, which may be followed by more figures: `01.12.2026`. */
const date = /^0?\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}/;

/** An address around each @, of bounded length, so that no text takes long. */
function* addressesIn(text: string, ours: Ours): Generator<Personal> {
  let from = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > from && at - start < 64 && localPart.test(text[start - 1] ?? '')) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at <= 253 && domainPart.test(text[end] ?? '')) end += 1;
    while (end > at + 1 && /[.-]/.test(text[end - 1] ?? '')) end -= 1;
    if (start === at || !text.slice(at + 1, end).includes('.')) continue;
    from = end;
    if (!ours.address(text.slice(start, end))) yield { kind: 'an e-mail address', start, end };
  }
}

const localPart = /[^\s@<>",;:()/[\]\\{}=]/u;
const domainPart = /[\p{L}\p{N}\p{M}.\-_]/u;
