import { answerersOf, type Charter, type RecordedTier, type Tier, tierOf } from '@countersign/contracts';
import type { TierCandidate } from './effective-tier.js';
import type { Facts } from './facts.js';

/** An action of a kind that the charter lists. */
interface Chartered {
  readonly charter: Charter;
  readonly kind: string;
  readonly word: RecordedTier;
}

/** Whether an agent runs an action without a person at this tier. */
export const actsAlone = (tier: Tier): boolean => tier === 'notify' || tier === 'auto';

/**
 * How many decisions of people about the kind must be known; 0 if none. Where the charter asks for a person anyway, none: the signers of
 * the tier approve stay the ones who answer.
 */
export const decisionsNeeded = (
  { firstReviewed = 0 }: Pick<Charter, 'firstReviewed'>,
  word: RecordedTier | undefined,
): number => (word !== undefined && actsAlone(tierOf(word)) ? firstReviewed : 0);

/** Every source that says how far the agent may go with this action. Throws if a fact that a source needs is missing. */
export function tierCandidates(
  { charter, kind, word }: Chartered,
  { decided }: Pick<Facts, 'decided'>,
): readonly TierCandidate[] {
  const tier = tierOf(word);
  const candidates: TierCandidate[] = [{ by: 'charter', tier, reason: charterReason(charter, kind, tier) }];
  const needed = decisionsNeeded(charter, word);
  if (needed > 0) {
    if (decided === undefined) throw new Error('how many actions people have decided is not among the facts');
    if (decided < needed)
      candidates.push({
        by: 'first-reviewed',
        tier: 'suggest',
        reason: `people have decided ${decided} of the first ${needed} actions of ${kind} by ${charter.agent}: until then a person answers each`,
        figures: { decided, needed },
      });
  }
  return candidates;
}

function charterReason(charter: Charter, kind: string, tier: Tier): string {
  const { agent } = charter;
  switch (tier) {
    case 'observe':
      return `${agent} is only observed for ${kind}: judged, never run`;
    case 'suggest':
      return `${agent} only suggests ${kind}: a person answers each`;
    case 'approve':
      return `${agent} only prepares ${kind}: ${answerersOf(charter, kind).join(' or ')} must sign each`;
    case 'notify':
      return `${agent} may act alone with ${kind}, and people are notified`;
    case 'auto':
      return `${agent} may act alone with ${kind}`;
  }
}
