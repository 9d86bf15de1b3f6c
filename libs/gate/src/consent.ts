import type { ConsentPurpose } from '@countersign/contracts';
import type { ConsentFact } from './facts.js';

export type ConsentFound =
  | { readonly status: 'granted' | 'withdrawn'; readonly at: string }
  | { readonly status: 'suppressed'; readonly reason: string; readonly at: string }
  | { readonly status: 'disputed'; readonly at: string; readonly sources: string }
  | { readonly status: 'unknown' };

/** The consent that is on record for one purpose and channel. The strictest entry counts. */
export function consentIn(
  fact: Pick<ConsentFact, 'entries' | 'suppressions'> | null | undefined,
  needed: { readonly purpose: ConsentPurpose; readonly channel: string },
): ConsentFound {
  if (!fact) return { status: 'unknown' };
  const suppression = fact.suppressions.find((s) => s.channel === needed.channel);
  if (suppression) return { status: 'suppressed', reason: suppression.reason, at: suppression.at };
  const entries = fact.entries.filter((e) => e.purpose === needed.purpose && e.channel === needed.channel);
  const withdrawn = entries.find((e) => e.status === 'withdrawn');
  if (withdrawn) return { status: 'withdrawn', at: withdrawn.at };
  const disputed = entries.filter((e) => e.status === 'disputed');
  if (disputed[0]) {
    const sources = [...new Set(disputed.map((e) => e.source))].join(', ');
    return { status: 'disputed', at: disputed[0].at, sources };
  }
  return entries[0] ? { status: 'granted', at: entries[0].at } : { status: 'unknown' };
}
