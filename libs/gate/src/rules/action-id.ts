import { ownActionId } from '@countersign/contracts';
import { pass, type Rule, refuse } from '../rule.js';

/**
 * The action's id is the idempotency key of every call that carries it out. It is derived from the proposal, or from the review
 * that edited it. So it cannot be the key of another action, whose result would then count as the result of this one.
 */
export const actionId: Rule = {
  name: 'action-id',
  weigh: ({ proposal, facts }) => {
    const { review } = facts;
    const from = review?.decision === 'edit' ? review.reviewId : proposal.proposalId;
    return proposal.action.actionId === ownActionId(proposal.proposalId, review)
      ? pass('the id of the action is its own')
      : refuse(`the action's id is not the one derived from ${from}`, { actionId: proposal.action.actionId });
  },
};
