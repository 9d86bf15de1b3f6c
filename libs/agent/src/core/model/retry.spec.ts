import { expect, test } from 'vitest';
import { waitBefore } from './retry.js';

const wait = (status: number | undefined, headers: Readonly<Record<string, string>> = {}, tries = 1) =>
  waitBefore({ status, header: (name) => headers[name] }, tries);

test.each([undefined, 408, 409, 429, 500, 503])(
  'status %s may pass: two more tries, the second wait longer',
  (status) => {
    expect([1, 2, 3].map((tries) => wait(status, {}, tries))).toEqual([500, 1000, undefined]);
  },
);

test.each([300, 307, 400, 401, 404, 422])('status %d does not pass', (status) => {
  expect(wait(status)).toBeUndefined();
});

test('the server says whether it passes', () => {
  expect(wait(429, { 'x-should-retry': 'false' })).toBeUndefined();
  expect(wait(400, { 'x-should-retry': 'true' })).toBe(500);
  expect(wait(400, { 'x-should-retry': 'true' }, 3)).toBeUndefined();
});

const date = 'Sat, 21 Nov 2026 10:00:00 GMT';
test.each<[Readonly<Record<string, string>>, number]>([
  [{ 'retry-after-ms': '20', 'retry-after': '3' }, 20],
  [{ 'retry-after': '3' }, 3000],
  [{ 'retry-after': ' 0.5 ' }, 500],
  [{ 'retry-after': '86400' }, 86_400_000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': 'Sat, 21 Nov 2026 10:00:07 GMT', date }, 7000],
  // No time to count from, a time that has passed, no time at all.
  [{ 'retry-after': 'Sat, 21 Nov 2026 10:00:07 GMT' }, 500],
  [{ 'retry-after': 'Sat, 21 Nov 2026 09:59:00 GMT', date }, 500],
  [{ 'retry-after': 'soon' }, 500],
  [{ 'retry-after': '-1', date: 'never' }, 500],
  [{ 'retry-after-ms': 'NaN', 'retry-after': 'Infinity' }, 500],
])('the wait that a server asks for is kept: %j', (headers, expected) => {
  expect(wait(503, headers)).toBe(expected);
});
