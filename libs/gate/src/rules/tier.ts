import { escalate, pass, type Rule, refuse } from '../rule.js';

/** How far the agent may go with this action: the lowest tier that any source gives, in the words of that source. */
export const tier: Rule = {
  name: 'tier',
  weigh: ({ decided }) => {
    if (!decided) return undefined;
    const { tier, by, reason, figures } = decided;
    const weighed = { tier, by, ...figures };
    switch (tier) {
      case 'observe':
        return refuse(reason, weighed);
      case 'suggest':
      case 'approve':
        return escalate(reason, weighed);
      case 'notify':
      case 'auto':
        return pass(reason, weighed);
    }
  },
};
