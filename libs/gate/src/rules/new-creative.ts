import { escalate, pass, type Rule } from '../rule.js';

export const newCreative: Rule = {
  name: 'new-creative',
  parts: ({ subject }) => (subject.spec.creative ? ['rules.creativeNeedsPerson'] : []),
  weigh: ({ subject, policy }) => {
    if (!subject.spec.creative) return undefined;
    return policy.content.rules.creativeNeedsPerson
      ? escalate('a new creative needs a person')
      : pass('a new creative needs nobody');
  },
};
