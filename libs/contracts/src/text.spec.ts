import { expect, test } from 'vitest';
import { fitsJsonb } from './text.js';

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
});
