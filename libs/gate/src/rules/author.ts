import { pass, type Rule, refuse } from '../rule.js';

/** An agent speaks only for itself: the topic shows the author, and the proposal must name the same one. */
export const author: Rule = {
  name: 'author',
  weigh: ({ proposal, facts }) =>
    facts.author === proposal.agent
      ? pass(`written by ${proposal.agent}`)
      : refuse(`${facts.author} wrote it and names ${proposal.agent} as its author`, {
          author: facts.author,
          named: proposal.agent,
        }),
};
