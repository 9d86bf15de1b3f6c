import { pass, type Rule, refuse } from '../rule.js';

export const size: Rule = {
  name: 'size',
  parts: () => ['rules.maxProposalBytes'],
  weigh: ({ facts, policy }) => {
    const limit = policy.content.rules.maxProposalBytes;
    const figures = { bytes: facts.proposalBytes, limit };
    return facts.proposalBytes <= limit
      ? pass(`${facts.proposalBytes} of at most ${limit} bytes`, figures)
      : refuse(`${facts.proposalBytes} bytes, ${facts.proposalBytes - limit} more than the limit of ${limit}`, figures);
  },
};
