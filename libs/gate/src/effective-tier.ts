import { type Reason, type Tier, type TierSource, tierSources, tiers } from '@countersign/contracts';

/** How far one source lets an agent go with an action, and why. A source gives at most one candidate. */
export interface TierCandidate {
  readonly by: TierSource;
  readonly tier: Tier;
  readonly reason: string;
  /** What its reason weighed. */
  readonly figures?: Reason['figures'];
}

/**
 * The candidate that decides: the lowest tier of all. If several are equally low, the source that comes first in `tierSources`
 * decides, in whatever order the candidates are given. Throws RangeError if there is none.
 */
export function effectiveTier(candidates: readonly TierCandidate[]): TierCandidate {
  const [first, ...others] = candidates;
  if (!first) throw new RangeError('there is no tier to choose from');
  return others.reduce((lowest, other) => (isBefore(other, lowest) ? other : lowest), first);
}

function isBefore(a: TierCandidate, b: TierCandidate): boolean {
  const higher = tiers.indexOf(a.tier) - tiers.indexOf(b.tier);
  return higher < 0 || (higher === 0 && tierSources.indexOf(a.by) < tierSources.indexOf(b.by));
}
