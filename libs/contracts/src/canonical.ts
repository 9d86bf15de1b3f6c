import { createHash } from 'node:crypto';
import canonicalizeModule from 'canonicalize';
import { parse as parseLossless } from 'lossless-json';
import { v5 } from 'uuid';

const serialize = canonicalizeModule as unknown as (value: unknown) => string | undefined;

/** RFC 8785 (JSON Canonicalization Scheme). Throws where the value is no JSON (a function, NaN, undefined at the top). */
export function canonical(value: unknown): string {
  const text = serialize(value);
  if (text === undefined) throw new TypeError('not a JSON value, cannot be canonicalised');
  return text;
}

/** SHA-256 in hexadecimal, of bytes or of a text's UTF-8. */
export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** SHA-256 of the RFC 8785 form: one digest for one meaning, whatever the key order or the spelling of a number. */
export const digestOf = (value: unknown): string => sha256(canonical(value));

/**
 * JSON.parse for what is going to be signed or compared: refuses a repeated member and a number that a double cannot
 * hold exactly, where JSON.parse would silently keep one of them. Throws SyntaxError or RangeError with the place.
 */
export function parseExact(text: string): unknown {
  return parseLossless(text, undefined, {
    parseNumber: (digits) => {
      const value = Number(digits);
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
        throw new RangeError(`number ${digits.slice(0, 40)} is too large to hold exactly`);
      }
      return value;
    },
    onDuplicateKey: ({ key }) => {
      throw new SyntaxError(`repeated member "${key}"`);
    },
  });
}

/** The namespace of every id that Countersign derives. */
const namespace = 'c0de51e7-1a2b-5c3d-8e4f-0123456789ab';

/** UUIDv5 (RFC 9562) of a list of parts: the same parts always give the same id. */
export const derivedId = (...parts: readonly (string | number)[]): string => v5(JSON.stringify(parts), namespace);
