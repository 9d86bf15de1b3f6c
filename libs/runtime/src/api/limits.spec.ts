import { expect, test } from 'vitest';
import { defaults, readLimits, variables } from './limits.js';

test('without variables the defaults are in force', () => {
  expect(readLimits({})).toEqual(defaults);
  expect(readLimits({ BATCH_EVENTS: '' })).toEqual(defaults);
});

test('each limit has a variable of its own, which sets it and nothing else', () => {
  expect(new Set(Object.values(variables)).size).toBe(Object.keys(defaults).length);
  for (const [name, variable] of Object.entries(variables)) {
    expect(readLimits({ [variable]: '7' })).toEqual({ ...defaults, [name]: 7 });
  }
});

test.each(['0', '-1', '1.5', '1e3', 'many', ' 5'])('%j is refused, naming the variable', (text) => {
  expect(() => readLimits({ BATCH_EVENTS: text })).toThrow(/^BATCH_EVENTS: a whole number from 1 is expected/);
});

test('an event that may be emitted fits the broker’s largest record, and membership outlasts a heartbeat', () => {
  expect(defaults.eventBytes).toBeLessThan(1_048_588 - 10_000);
  expect(defaults.produceBytes).toBeLessThan(1_048_588 - 10_000);
  expect(defaults.backoffMs).toBeLessThanOrEqual(defaults.backoffMaxMs);
});
