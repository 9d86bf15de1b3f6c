import { expect, test } from 'vitest';
import { claimedAt } from './claimed-at.js';

test('a time that an agent says is no later than the broker took its event', () => {
  expect(claimedAt('2099-01-01T00:00:00.000Z', '2026-11-21T10:00:00.000Z')).toBe('2026-11-21T10:00:00.000Z');
  expect(claimedAt('2026-11-21T09:00:00.000Z', '2026-11-21T10:00:00.000Z')).toBe('2026-11-21T09:00:00.000Z');
  expect(claimedAt('2026-11-21T09:00:00.000Z', undefined)).toBe('2026-11-21T09:00:00.000Z');
});
