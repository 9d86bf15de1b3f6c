import { escalate, pass, type Rule, refuse } from '../rule.js';

/** How far the agent may go with this kind. */
export const tier: Rule = {
  name: 'tier',
  weigh: ({ tier, answerers, proposal: { agent }, subject: { kind } }) => {
    switch (tier) {
      case undefined:
        return undefined;
      case 'observe':
        return refuse(`${agent} is only observed for ${kind}: judged, never run`, { tier });
      case 'suggest':
        return escalate(`${agent} only suggests ${kind}: a person answers each`, { tier });
      case 'approve':
        return escalate(`${agent} only prepares ${kind}: ${answerers.join(' or ')} must sign each`, { tier });
      case 'notify':
        return pass(`${agent} may act alone with ${kind}, and people are notified`, { tier });
      case 'auto':
        return pass(`${agent} may act alone with ${kind}`, { tier });
    }
  },
};
