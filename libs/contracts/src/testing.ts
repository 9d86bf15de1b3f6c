import { actionKindNames } from './catalogue.js';
import type { Rules } from './policy.js';
import { noticeParts } from './text-rules.js';

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
  sameMessageDays: { given: 90, another: 1 },
  bannedTerms: { given: ['miracle cure'], another: ['hello', 'compare', 'call'] },
  linkHosts: { given: ['*.example.org'], another: [] },
  requiredElements: {
    given: [{ element: 'way out', kinds: ['email.send'], firstMessageOnly: true, anyOf: ['no more of these'] }],
    another: [
      { element: 'sender', kinds: ['email.send', 'ads.publish_creative'], firstMessageOnly: false, anyOf: ['we are'] },
    ],
  },
  dataNotice: { given: noticeOf('given', ['/sources/website']), another: noticeOf('another', ['/sources/crm']) },
  placeholdersMustFill: { given: true, another: false },
  personalData: { given: { verdict: 'refuse', ours: ['@example.com'] }, another: { verdict: 'escalate', ours: [] } },
  claims: {
    given: [{ claim: 'twice as fast', evidence: ['measured in 2026'] }],
    another: [{ claim: 'they compared', evidence: [] }],
  },
  quietHours: { given: { from: '21:00', to: '08:00' }, another: { from: '09:30', to: '18:00' } },
  workingDays: { given: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'], another: ['sun'] },
};

/** A notice in which each part is asked for by words of its own. */
function noticeOf(choice: string, fromThePerson: string[]): NonNullable<Rules['dataNotice']> {
  const parts = noticeParts.map((part) => [part, [`${choice} ${part}`]] as const);
  return { fromThePerson, ...Object.fromEntries(parts) } as NonNullable<Rules['dataNotice']>;
}

/** The rules of a policy in which every setting has its first value, or its second. */
export const rulesWith = (choice: 'given' | 'another'): AllRules =>
  Object.fromEntries(Object.entries(ruleValues).map(([name, values]) => [name, values[choice]])) as AllRules;
