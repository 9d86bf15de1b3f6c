import { pass, type Rule, refuse } from '../rule.js';
import { enrolsIn } from '../subject.js';

/**
 * A contact is enrolled in a sequence only once under a task, because each enrolment opens every step again. Refused enrolments
 * do not count, nor do those that came to nothing after their approval before a message depended on them. The rule also weighs a
 * proposal with an answer, because a person's edit can make an enrolment out of another action.
 */
export const enrolledOnce: Rule = {
  name: 'enrolled-once',
  weigh: ({ subject, facts: { sameStep } }) => {
    const sequence = enrolsIn(subject);
    if (sequence === undefined) return undefined;
    if (sameStep === undefined) throw new Error(`what was approved in ${sequence} is not among the facts`);
    const enrolled = `contact ${subject.contacts.join(', ')} in ${sequence}`;
    return sameStep === 0
      ? pass(`no other enrolment of ${enrolled} was approved under this task or waits for a person`)
      : refuse(
          `an enrolment of ${enrolled} was approved under this task or waits for a person: it is proposed again only where the one before was refused or came to nothing, or under another task`,
          { sequence, before: sameStep },
        );
  },
};
