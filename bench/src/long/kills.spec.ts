import { expect, test } from 'vitest';
import { plannedKills } from './kills.js';

const targets = ['console', 'orchestrator', 'broker', 'database'];
const plan = (seed: number, more: object = {}) =>
  plannedKills({ seed, targets, forMs: 7_200_000, everyMs: 90_000, ...more });

test('the same seed plans the same kills, and another seed plans others', () => {
  expect(plan(7)).toEqual(plan(7));
  expect(plan(7)).not.toEqual(plan(8));
});

test('in two hours at one every 90 seconds there are about 80 kills, each target is met, and the gaps differ', () => {
  const kills = plan(7);
  expect(kills.length).toBeGreaterThan(70);
  expect(kills.length).toBeLessThan(90);
  expect(new Set(kills.map(({ target }) => target))).toEqual(new Set(targets));
  const gaps = kills.map(({ atMs }, n) => atMs - (kills[n - 1]?.atMs ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(45_000);
  expect(Math.max(...gaps)).toBeLessThan(135_000);
  expect(new Set(gaps).size).toBeGreaterThan(60);
});

test('every kill is within the load, and without a gap or a target nothing is killed', () => {
  for (const { atMs } of plan(7)) expect(atMs).toBeLessThan(7_200_000);
  expect(plan(7, { everyMs: 0 })).toEqual([]);
  expect(plan(7, { targets: [] })).toEqual([]);
});
