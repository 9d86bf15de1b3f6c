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
    address: (address) => {
      const same = identity(address);
      return addresses.has(same) || domains.some((domain) => same.endsWith(domain));
    },
    telephone: (digits) => numbers.has(digits),
  };
}

const digitsOf = (text: string): string => text.replace(/\D/g, '');

/** The personal data of a text, found as far as it is asked for. */
export function* personalIn({ text }: Folded, ours: Ours): Generator<Personal> {
  yield* addressesIn(text, ours);
  // Ids first, because a telephone number may seem to be inside one.
  const ids = [...text.matchAll(uuid)].map(({ 0: id, index }) => ({ start: index, end: index + id.length }));
  for (const place of ids) yield { kind: 'an id such as that of a contact', ...place };
  if (!/\d[\d\s().\-/]{5}/.test(text)) return;
  for (const { 0: number, index } of text.matchAll(telephone)) {
    const end = index + number.length;
    const inside = ids.some((id) => index < id.end && end > id.start);
    if (inside || date.test(number) || ours.telephone(digitsOf(number))) continue;
    yield { kind: 'a telephone number', start: index, end };
  }
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

/** An address around each @, which a link may write as %40, of bounded length, so that no text takes long. */
function* addressesIn(text: string, ours: Ours): Generator<Personal> {
  let from = 0;
  for (const { 0: sign, index: at } of text.matchAll(/@|%40/g)) {
    const after = at + sign.length;
    let start = at;
    while (start > from && at - start < 64 && localPart.test(text[start - 1] ?? '')) start -= 1;
    let end = after;
    while (end < text.length && end - at <= 253 && domainPart.test(text[end] ?? '')) end += 1;
    while (end > after && /[.-]/.test(text[end - 1] ?? '')) end -= 1;
    if (start === at || !text.slice(after, end).includes('.')) continue;
    from = end;
    if (!ours.address(`${text.slice(start, at)}@${text.slice(after, end)}`))
      yield { kind: 'an e-mail address', start, end };
  }
}

const localPart = /[^\s@<>",;:()/[\]\\{}=]/u;
const domainPart = /[\p{L}\p{N}\p{M}.\-_]/u;
