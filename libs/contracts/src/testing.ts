import { actionKindNames } from './catalogue.js';
import type { Rules } from './policy.js';

/* For tests of this lib and its users. */

/** Including the optional members. */
type AllRules = Required<Rules>;

/**
 * Two values of each setting of the rules, which differ in every member. The gate's tests change a policy to each of them, and the
 * console's tests show that people can read both. A new setting, even an optional one, does not compile without its two values.
 */
export const ruleValues: {
  readonly [K in keyof AllRules]: { readonly given: AllRules[K]; readonly another: AllRules[K] };
} = {
  permitSeconds: { given: 900, another: 60 },
  contactFrequency: { given: { touches: 1, days: 2 }, another: { touches: 3, days: 30 } },
  firstTouchNeedsPerson: { given: ['c-suite'], another: ['manager'] },
  prohibitedKinds: { given: ['ads.set_bid'], another: [...actionKindNames] },
  creativeNeedsPerson: { given: true, another: false },
  maxProposalBytes: { given: 65_536, another: 10 },
};

/** The rules of a policy in which every setting has its first value, or its second. */
export const rulesWith = (choice: 'given' | 'another'): AllRules =>
  Object.fromEntries(Object.entries(ruleValues).map(([name, values]) => [name, values[choice]])) as AllRules;
