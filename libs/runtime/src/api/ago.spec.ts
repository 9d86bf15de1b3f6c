import { afterEach, expect, test, vi } from 'vitest';
import { ago } from './ago.js';

afterEach(() => vi.restoreAllMocks());

test('an age goes on where the wall clock is set back, and where the machine was suspended', () => {
  const wall = vi.spyOn(Date, 'now').mockReturnValue(1_000_000);
  const steady = vi.spyOn(performance, 'now').mockReturnValue(500);
  const age = ago();
  expect(age()).toBe(0);
  wall.mockReturnValue(1_000_000 - 3_600_000);
  steady.mockReturnValue(15_500);
  expect(age()).toBe(15_000);
  wall.mockReturnValue(1_300_000);
  steady.mockReturnValue(600);
  expect(age()).toBe(300_000);
});
