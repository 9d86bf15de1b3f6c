import { proposalIdOf } from '@countersign/contracts';
import { pass, type Rule, refuse } from '../rule.js';

/**
 * A proposal's id is derived from its author. Otherwise an agent could use the ids of another agent, whose own proposals would
 * then be refused as repeats.
 */
export const proposalId: Rule = {
  name: 'proposal-id',
  weigh: ({ proposal, facts }) => {
    const { proposalId: id, taskId, item } = proposal;
    // A person is asked only about a proposal that was judged before. An earlier version of the validator may not have checked
    // the id.
    if (facts.review) return pass('the id was checked before a person was asked');
    if (item === undefined) return refuse('the proposal names no item, from which its id could be derived');
    return id === proposalIdOf(facts.author, taskId, item)
      ? pass(`the id is the one of ${facts.author}`)
      : refuse(`the id is not the one derived for ${facts.author}, its task and item ${item}`, {
          author: facts.author,
          item,
        });
  },
};
