import { expect, test } from 'vitest';
import { fitsText, printable } from './text.js';

test('printable text holds no control character, no half of a pair, and keeps to its length', () => {
  expect(printable('a\u0000b\nc')).toBe('a\ufffdb\ufffdc');
  expect(printable('a\u2028b\u202ec')).toBe('a\ufffdb\ufffdc');
  expect(printable('x\ud83d\ude00', 2)).toBe('x\ufffd');
  expect(printable('x'.repeat(400))).toHaveLength(300);
});

test.each([
  ['plain', true],
  ['a pair \ud83d\ude00', true],
  ['NUL \u0000', false],
  ['half \ud83d', false],
])('a text column gives %j back: %s', (text, fits) => {
  expect(fitsText(text)).toBe(fits);
});
