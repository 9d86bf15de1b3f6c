import { own } from '@countersign/contracts';
import { pass, type Rule, refuse } from '../rule.js';
import { controlScopes } from '../subject.js';

/** A stop in any scope that concerns the action. A scope with unknown state counts as stopped. */
export const killControl: Rule = {
  name: 'kill-control',
  weigh: ({ proposal, subject, facts }) => {
    const scopes = controlScopes(proposal.agent, proposal.play.id, proposal.action, subject);
    for (const scope of scopes) {
      const control = own(facts.controls, scope);
      if (!control) return refuse(`the state of ${scope} is not known, which counts as stopped`, { scope });
      if (control.state === 'stopped') {
        const by = control.by ?? 'nobody named';
        return refuse(`stopped: ${scope} by ${by}: ${control.reason ?? 'no reason given'}`.slice(0, 1000), {
          scope,
          by,
          version: control.version,
        });
      }
    }
    return pass(`nothing is stopped in ${scopes.join(', ')}`.slice(0, 1000));
  },
};
