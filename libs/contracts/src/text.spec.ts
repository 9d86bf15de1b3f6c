import { expect, test } from 'vitest';
import { clip, fitsJsonb, roughly, storableJson } from './text.js';

test.each([
  ['plain', true],
  ['a pair \ud83d\ude00', true],
  ['spelled out \\u0000', true],
  ['NUL \u0000', false],
  ['NUL after a backslash \\\u0000', false],
  ['half \ud83d', false],
  ['other half \ude00', false],
])('jsonb holds %j: %s', (text, fits) => {
  expect(fitsJsonb(JSON.stringify({ text }))).toBe(fits);
  expect(fitsJsonb(storableJson({ texts: [text] }))).toBe(true);
  // What fits stays as it is.
  if (fits) expect(storableJson({ texts: [text] })).toBe(JSON.stringify({ texts: [text] }));
});
test.each([
  ['short', 10, 'short'],
  ['abcdef', 3, 'abc'],
  ['ab\u{1F600}', 3, 'ab'],
  ['ab\u{1F600}', 4, 'ab\u{1F600}'],
  ['abe\u0301x', 3, 'ab'],
  ['abe\u0301x', 4, 'abe\u0301'],
  // A family is one character to whoever reads it.
  ['a\u{1F468}\u200D\u{1F469}\u200D\u{1F467}', 6, 'a'],
  ['\u{1F600}', 1, '\uFFFD'],
])('%j cut to %d is %j', (text, most, cut) => {
  expect(clip(text, most)).toBe(cut);
});

test('wherever a text is cut, it stays well formed and within its length', () => {
  const text = 'a\u{1F600}e\u0301\u{1F468}\u200D\u{1F469}'.repeat(40);
  for (let most = 1; most <= text.length; most++) {
    expect(clip(text, most).isWellFormed()).toBe(true);
    expect(clip(text, most).length).toBeLessThanOrEqual(most);
  }
});

test.each([
  [1, '1 minute'],
  [360_000, '6 minutes'],
  [360_001, '7 minutes'],
  [7_199_999, '120 minutes'],
  [7_200_000, '2 hours'],
  [129_600_000, '36 hours'],
  [172_800_000, '2 days'],
  [172_800_001, '3 days'],
  [864_000_000_000, '10,000 days'],
])('%d ms are roughly %j', (ms, words) => {
  expect(roughly(ms)).toBe(words);
});
