import { own } from '@countersign/contracts';
import { escalate, gravest, pass, type Rule } from '../rule.js';

/**
 * The first message to people of some seniorities needs a person. An unknown seniority counts as one of them only if the rule
 * lists it.
 */
export const firstTouch: Rule = {
  name: 'first-touch',
  parts: ({ subject }) => (subject.spec.touches ? ['rules.firstTouchNeedsPerson'] : []),
  weigh: ({ subject, facts, policy }) => {
    if (!subject.spec.touches) return undefined;
    return gravest(
      subject.recipients.map((contact) => {
        const profile = own(facts.contacts, contact);
        const seniority = profile?.seniority ?? 'unknown';
        const figures = { contact, seniority };
        if (profile?.touched || profile?.firstTouchedAt !== undefined) {
          return pass(`contact ${contact} was touched before`, figures);
        }
        return policy.content.rules.firstTouchNeedsPerson.includes(seniority)
          ? escalate(`first touch of contact ${contact} (${seniority}) needs a person`, figures)
          : pass(`first touch of contact ${contact} (${seniority}) needs nobody`, figures);
      }),
    );
  },
};
