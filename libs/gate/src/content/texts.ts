import type { PlacedText } from '@countersign/contracts';
import { type Folded, fold } from './folded.js';

/** Each text is folded at most once, whichever rules ask. */
const folded = new WeakMap<PlacedText, Folded>();

export function foldedOf(text: PlacedText): Folded {
  let known = folded.get(text);
  if (!known) {
    known = fold(text.text);
    folded.set(text, known);
  }
  return known;
}

/** What was made of a setting, once for as long as the policy that has it. */
export function perSetting<S extends object, T>(make: (setting: S) => T): (setting: S) => T {
  const made = new WeakMap<S, { readonly value: T }>();
  return (setting) => {
    let known = made.get(setting);
    if (!known) {
      known = { value: make(setting) };
      made.set(setting, known);
    }
    return known.value;
  };
}

/** A list that is read only as far as it is asked for. What was read is remembered. */
export function remembered<T>(source: Iterator<T>): Iterable<T> {
  const known: T[] = [];
  let failed: { readonly error: unknown } | undefined;
  const next = (): IteratorResult<T> => {
    if (failed) throw failed.error;
    try {
      return source.next();
    } catch (error) {
      // A generator that threw once is at its end, and what was not read would look as if it were not there.
      failed = { error };
      throw error;
    }
  };
  return {
    *[Symbol.iterator]() {
      for (let i = 0; ; i++) {
        if (i === known.length) {
          const more = next();
          if (more.done) return;
          known.push(more.value);
        }
        yield known[i] as T;
      }
    },
  };
}

/** The first of a list that fit, `most` at most. The rest is not read. */
export function firstOf<T>(source: Iterable<T>, most: number, fits: (item: T) => boolean = () => true): readonly T[] {
  const found: T[] = [];
  for (const item of source) {
    if (fits(item)) found.push(item);
    if (found.length >= most) break;
  }
  return found;
}

/** More texts than the messages that are sent at one time have. */
const mostTexts = 64;

/**
 * What is made of a text, with the texts that came last remembered: the messages of a sequence have the same words for everybody. The
 * place and the role of a text may be part of the result.
 */
export function perText<T>(make: (text: PlacedText) => T): (text: PlacedText) => T {
  const places = new Map<string, Map<string, { readonly value: T }>>();
  return (text) => {
    const place = `${text.role} ${text.place}`;
    const made = places.get(place) ?? new Map<string, { readonly value: T }>();
    places.set(place, made);
    let known = made.get(text.text);
    if (!known) {
      known = { value: make(text) };
      const [oldest] = made.keys();
      if (made.size >= mostTexts && oldest !== undefined) made.delete(oldest);
      made.set(text.text, known);
    }
    return known.value;
  };
}
