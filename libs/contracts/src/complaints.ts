import type { Part, Path } from './config-file.js';
import { didYouMean } from './nearest.js';
import { isPlain } from './primitives.js';

/* What the checks of a configuration have in common. */

/** Reports a fault of a field. */
export type Complain = (part: Part<unknown>, path: Path, detail: string) => void;

/** `there is a, b`, with the most similar one. */
export const known = (names: readonly string[], word?: string): string =>
  `${names.length === 0 ? 'there is none' : `there is ${names.join(', ')}`}${word === undefined ? '' : didYouMean(word, names)}`;

export function repeatedOnes(part: Part<unknown>, path: Path, given: readonly string[], complain: Complain): void {
  for (const [i, value] of given.entries())
    if (given.indexOf(value) < i) complain(part, [...path, i], `"${value}" is listed already`);
}

export function checkPlain(part: Part<unknown>, path: Path, text: string, complain: Complain): void {
  if (!isPlain(text)) complain(part, path, 'one line is expected, without a line break or another control character');
}
