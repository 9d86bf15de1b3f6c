import { expect, test } from 'vitest';
import { slopeOf } from './slope.js';

test('the slope of points on a line is that of the line, and noise that cancels out changes nothing', () => {
  expect(slopeOf([0, 1, 2, 3].map((x) => ({ x, y: 5 + 2 * x })))).toBeCloseTo(2);
  expect(
    slopeOf([
      { x: 0, y: 11 },
      { x: 0, y: 9 },
      { x: 4, y: 9 },
      { x: 4, y: 11 },
    ]),
  ).toBeCloseTo(0);
});

test('points at one place have no slope', () => {
  expect(slopeOf([{ x: 1, y: 2 }])).toBeUndefined();
  expect(slopeOf([])).toBeUndefined();
});
