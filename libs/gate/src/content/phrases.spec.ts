import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold } from './folded.js';
import { phrasesOf } from './phrases.js';

/** The first match, as the text has it. */
const found = (text: string, ...phrases: string[]): string | undefined => {
  const folded = fold(text);
  const [match] = phrasesOf(phrases).find(folded, 5);
  return match && text.slice(folded.from(match.start), folded.from(match.end));
};

describe('a phrase is found however it is spelt', () => {
  test.each([
    ['Act NOW!', 'act now', 'Act NOW'],
    ['act\n\t  now', 'act now', 'act\n\t  now'],
    ['act\u00a0now', 'act now', 'act\u00a0now'],
    ['so fr\u200bee', 'free', 'fr\u200bee'],
    ['ｆｒｅｅ and 𝐟𝐫𝐞𝐞', 'free', 'ｆｒｅｅ'],
    ['frее', 'free', 'frее'],
    ['FREE', 'frее', 'FREE'],
    ['Müller', 'mu\u0308ller', 'Müller'],
    ['große Straße', 'GROSSE STRASSE', 'große Straße'],
    ['BЕСПЛАТНО', 'бесплатно', undefined],
    ['БЕСПЛАТНО', 'бесплатно', 'БЕСПЛАТНО'],
    ['いま無料です', '無料', '無料'],
    ['100% sure', '100%', '100%'],
    ['(free)', 'free', 'free'],
    ['🔥free🔥', 'free', 'free'],
    ['free', 'freedom', undefined],
    ['freedom', 'free', undefined],
    ['freedom', 'free*', 'freedom'],
    ['carefree', 'free', undefined],
    ['a guarantee and a guaranteed', 'guaranteed', 'guaranteed'],
    ['İstanbul free', 'free', 'free'],
    ['risk‑free, risk–free', 'risk-free', 'risk‑free'],
    ['risk−free', 'risk-free', 'risk−free'],
    ['don’t wait', "don't wait", 'don’t wait'],
    ["don't wait", 'donʼt wait', "don't wait"],
  ])('%s with %s', (text, phrase, expected) => expect(found(text, phrase)).toBe(expected));

  test('of several that begin at one place the longest counts', () => {
    expect(found('free of charge', 'free', 'free of charge')).toBe('free of charge');
  });
});

test('a phrase is found between any words, at exactly its place', () => {
  const words = fc.array(fc.constantFrom('hello', 'ß', 'İ', '無', 'e\u0301', 'x\n', '😀', ' ', '\u200b', 'Ⅳ'), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(words, words, (before, after) => {
      const [start, end] = [before.join(' '), after.join(' ')];
      const text = `${start} Act  now ${end}`;
      const folded = fold(text);
      const matches = phrasesOf(['act now']).find(folded, 5);
      expect(matches.map((m) => [folded.from(m.start), folded.from(m.end)])).toEqual([
        [start.length + 1, start.length + 9],
      ]);
    }),
  );
});

test('a thousand phrases in the longest text take little time', () => {
  const phrases = Array.from({ length: 1000 }, (_, i) => `a${i} ${'a '.repeat(20)}b`);
  for (const text of ['a '.repeat(2500), 'a'.repeat(5000), ' '.repeat(5000), 'a1 '.repeat(1600)]) {
    const compiled = phrasesOf(phrases);
    const folded = fold(text);
    const before = performance.now();
    compiled.find(folded, 5);
    expect(performance.now() - before).toBeLessThan(2000);
  }
});
