import { escalate, pass, type Rule, refuse } from '../rule.js';

/** Whether the agent may do this kind alone. */
export const tier: Rule = {
  name: 'tier',
  weigh: (context) => {
    switch (context.tier) {
      case undefined:
        return undefined;
      case 'shadow':
        return refuse(`${context.proposal.agent} is in shadow for ${context.subject.kind}: judged, never run`, {
          tier: 'shadow',
        });
      case 'supervised':
        return escalate(`${context.proposal.agent} is supervised for ${context.subject.kind}: a person answers each`, {
          tier: 'supervised',
        });
      case 'autonomous':
        return pass(`${context.proposal.agent} may act alone with ${context.subject.kind}`, { tier: 'autonomous' });
    }
  },
};
