import { expect, test } from 'vitest';
import { crashCount } from './rebuilding.js';

test.each([
  ['the first crash', undefined, undefined, 0],
  ['one that never joined, after another', 0, undefined, 1],
  ['one that crashes as soon as it has joined, after others', 4, 10, 5],
  ['one that was a member for a session and no longer, after others', 4, 6_000, 5],
  ['one that was a member for longer than a session, after others', 4, 6_001, 0],
])('%s: counts as %s after %s ms', (_what, before, memberMs, count) => {
  expect(crashCount(before, memberMs, { sessionMs: 6_000 })).toBe(count);
});
