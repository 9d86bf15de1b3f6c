import { expect, test } from 'vitest';
import { evenSizes } from './even-sizes.js';

test('sizes are spread evenly, with the first and the last', () => {
  expect(evenSizes(10, 110, 5)).toEqual([10, 35, 60, 85, 110]);
  expect(evenSizes(7, 9, 200)).toEqual([7, 8, 9]);
  expect(evenSizes(7, 7, 200)).toEqual([7]);
});

test.each([
  [0, 1_000_003, 200],
  [17, 1_312_719, 200],
  [3, 99_999_999_999_997, 500],
  [5, 204, 200],
  [5, 206, 200],
])('from %i to %i no part between two of %i sizes is much longer than another', (first, last, most) => {
  const sizes = evenSizes(first, last, most);
  expect([sizes.length, sizes[0], sizes.at(-1)]).toEqual([most, first, last]);
  for (const [n, size] of sizes.slice(1).entries()) {
    const part = size - (sizes[n] as number);
    expect(part).toBeGreaterThan(0);
    expect(part).toBeLessThanOrEqual((last - first) / (most - 1) + 1);
  }
});
