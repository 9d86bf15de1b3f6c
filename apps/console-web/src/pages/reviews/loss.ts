import type { Review } from './reviews.queries.js';

type Held = { readonly underStop: { readonly loss: string } | null };
type Card =
  | (Pick<Extract<Review, { subject: 'proposal' }>, 'subject'> & Held)
  | (Pick<Extract<Review, { subject: 'checkpoint' }>, 'subject' | 'playChanged'> & Held);

/**
 * What an approval would lose at this moment, and what to do in its place; undefined if nothing is known against it. `judged` is what the
 * rules said last of exactly this answer. The words about stops and rules are the console's: Slack and the command line have the same.
 */
export function lossOf(card: Card, judged: { readonly loss: string | null } | undefined): string | undefined {
  if (card.subject === 'checkpoint' && card.playChanged !== null)
    return 'No task would go out, and it cannot be approved later. Reject it, or let its time run out.';
  return card.underStop?.loss ?? (card.subject === 'proposal' ? (judged?.loss ?? undefined) : undefined);
}

/** What can be done after the rules have refused an approved action. */
export const afterRefusal = (reasons: readonly { readonly rule: string }[]): string =>
  `Nothing was done, and this proposal cannot be approved any more. ${
    reasons.some(({ rule }) => rule === 'kill-control')
      ? 'If the action is still wanted, have the stop ended first. Then wait'
      : 'If the action is still wanted, wait'
  } for a new proposal: the agent makes one when its play needs it again.`;
