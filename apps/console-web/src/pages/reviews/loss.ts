import type { Control } from '../../parts/controls.js';
import type { Review } from './reviews.queries.js';
import { effectOf, type Judged } from './verdict-words.js';

type Card = Pick<Extract<Review, { subject: 'proposal' }>, 'subject'> | CheckpointCard;
type CheckpointCard = Pick<Extract<Review, { subject: 'checkpoint' }>, 'subject' | 'playChanged'>;
type Verdict = Pick<Judged, 'outcome'> & {
  readonly policy: object | null;
  readonly reasons: readonly { readonly rule: string }[];
};

/** The rule of a stop. */
const stopRule = 'kill-control';
const refusedNow = 'It would be refused now and cannot be approved later.';
const afterResume = 'Wait for the resume, or reject it.';

/**
 * What an approval would lose at this moment, and what to do in its place; undefined if nothing is known against it. `judged` is what the
 * rules said last of exactly this answer. `countersign review approve` uses the same words.
 */
export function lossOf(
  card: Card,
  stops: readonly Pick<Control, 'scope'>[],
  judged: Verdict | undefined,
): string | undefined {
  if (card.subject === 'proposal') {
    const refused = judged !== undefined && effectOf(judged) === 'refused';
    if (stops.length > 0 || (refused && judged.reasons.some(({ rule }) => rule === stopRule)))
      return `${refusedNow} ${afterResume}`;
    return refused ? `${refusedNow} Wait until the rules let it through, change it, or reject it.` : undefined;
  }
  if (card.playChanged !== null)
    return 'No task would go out, and it cannot be approved later. Reject it, or let its time run out.';
  if (stops.length === 0) return undefined;
  return stops.every(({ scope }) => scope.startsWith('agent:'))
    ? `The tasks would go out, but what a stopped agent proposes for them would be refused. ${afterResume}`
    : `No task would go out now, and it cannot be approved later. ${afterResume}`;
}

/** What can be done after the rules have refused an approved action. */
export const afterRefusal = (reasons: readonly { readonly rule: string }[]): string =>
  `Nothing was done, and this proposal cannot be approved any more. ${
    reasons.some(({ rule }) => rule === stopRule)
      ? 'If the action is still wanted, have the stop ended first. Then wait'
      : 'If the action is still wanted, wait'
  } for a new proposal: the agent makes one when its play needs it again.`;
