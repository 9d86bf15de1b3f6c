import { type Tier, tierSources, tiers } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { effectiveTier, type TierCandidate } from './effective-tier.js';

const candidate = (by: TierCandidate['by'], tier: Tier): TierCandidate => ({ by, tier, reason: `${by} says ${tier}` });

/** Every way to give each source one of the tiers. */
const every = tierSources.reduce<TierCandidate[][]>(
  (before, by) => before.flatMap((list) => tiers.map((tier) => [...list, candidate(by, tier)])),
  [[]],
);

describe('of several candidates', () => {
  test('the lowest decides, whatever the others allow', () => {
    expect(every).toHaveLength(tiers.length ** tierSources.length);
    for (const candidates of every) {
      const found = effectiveTier(candidates);
      expect(candidates).toContain(found);
      for (const { tier } of candidates) expect(tiers.indexOf(found.tier)).toBeLessThanOrEqual(tiers.indexOf(tier));
    }
  });

  test('the order of the list changes nothing', () => {
    for (const candidates of every) expect(effectiveTier(candidates.toReversed())).toEqual(effectiveTier(candidates));
  });

  test('of equally low ones the first source decides', () => {
    for (const tier of tiers)
      expect(effectiveTier(tierSources.map((by) => candidate(by, tier))).by).toBe(tierSources[0]);
  });
});

test('without a candidate there is no tier', () => {
  expect(() => effectiveTier([])).toThrow(RangeError);
});
