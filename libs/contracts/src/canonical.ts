import { createHash } from 'node:crypto';
import canonicalizeModule from 'canonicalize';
import { v5 } from 'uuid';
import { parseJson } from './depth.js';

const serialize = canonicalizeModule as unknown as (value: unknown) => string | undefined;

/** RFC 8785 (JSON Canonicalization Scheme). Throws if the value is not JSON (a function, NaN, undefined at the top). */
export function canonical(value: unknown): string {
  const text = serialize(value);
  if (text === undefined) throw new TypeError('not a JSON value, cannot be canonicalised');
  return text;
}

/** SHA-256 in hexadecimal, of bytes or of a text's UTF-8. */
export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** SHA-256 of the RFC 8785 form: the same digest for the same content, whatever the key order or the spelling of a number. */
export const digestOf = (value: unknown): string => sha256(canonical(value));

/**
 * JSON.parse for texts that will be signed or compared. It refuses a repeated member and a number that a double cannot hold
 * exactly, because JSON.parse would silently use one of them. It also refuses half of a surrogate pair, which has no RFC 8785 form.
 * Throws SyntaxError or RangeError, of which TooDeep is one.
 */
export function parseExact(text: string): unknown {
  const value = parseJson(text);
  // Few texts have an escape that could be half of a pair. Only the strings of such texts are checked one by one.
  const mayHaveHalves = !text.isWellFormed() || /\\u[dD][89a-fA-F]/.test(text);
  // The following code walks the tokens of a text that is known to be JSON. `keys` is a stack of the open objects' members.
  const keys: (Set<string> | undefined)[] = [];
  let mayBeKey = false;
  for (let at = 0; at < text.length; at++) {
    const first = text[at];
    if (first === '{') keys.push(new Set());
    else if (first === '[') keys.push(undefined);
    else if (first === '}' || first === ']') keys.pop();
    else if (first === '"') {
      const end = endOfString(text, at);
      const token = text.slice(at, end);
      at = end - 1;
      const members = mayBeKey ? keys.at(-1) : undefined;
      if (mayHaveHalves && !(JSON.parse(token) as string).isWellFormed())
        throw new SyntaxError('half of a surrogate pair in a string');
      if (members) {
        const key = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
        if (members.has(key)) throw new SyntaxError(`repeated member "${key.slice(0, 60)}"`);
        members.add(key);
      }
    } else if (first === '-' || isDigit(text, at)) {
      number.lastIndex = at;
      const token = number.exec(text)?.[0] ?? '';
      at += token.length - 1;
      const read = Number(token);
      if (!Number.isFinite(read) || (Number.isInteger(read) && !Number.isSafeInteger(read)))
        throw new RangeError(`number ${token.slice(0, 40)} is too large to hold exactly`);
    } else if (isSpace(text, at)) continue;
    mayBeKey = first === '{' || (first === ',' && keys.at(-1) !== undefined);
  }
  return value;
}

const number = /[-0-9][-+.0-9eE]*/y;

/** The position after a string that begins at `from`: after the first quote that is not escaped. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return end + 1;
  }
}

const isDigit = (text: string, at: number): boolean => text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39;
/** Space, tab, line feed and carriage return (RFC 8259 §2). */
const isSpace = (text: string, at: number): boolean => text.charCodeAt(at) <= 0x20;

/** The namespace of every id that Countersign derives. */
const namespace = 'c0de51e7-1a2b-5c3d-8e4f-0123456789ab';

/** UUIDv5 (RFC 9562) of a list of parts: the same parts always give the same id. */
export const derivedId = (...parts: readonly (string | number)[]): string => v5(JSON.stringify(parts), namespace);

/**
 * The id of a proposal. It is derived from its author, so nobody can write under an id that another agent will use. `item`
 * distinguishes the proposals of an agent for one task, e.g. `0`, `1`; for a sequence's message `<id of the enrolment>/<its
 * place>`, with `/1`, `/2` and so on if it is proposed again.
 */
export const proposalIdOf = (author: string, taskId: string, item: string): string =>
  derivedId('proposal', author, taskId, item);

/** The id of a proposal's own action. A review that edits the action gives it another id, derived from the review. */
export const ownActionId = (
  proposalId: string,
  review?: { readonly reviewId: string; readonly decision: string },
): string => derivedId('action', review?.decision === 'edit' ? review.reviewId : proposalId);
