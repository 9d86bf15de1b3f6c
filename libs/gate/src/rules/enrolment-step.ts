import { pass, type Rule, refuse } from '../rule.js';

/**
 * A step of an enrolment is sent only once. A message that was refused, or that came to nothing after its approval, was not sent
 * and may be proposed again. Two messages may have waited for a person since before this rule existed. The rule also weighs a
 * proposal with an answer, so that only one of them is approved.
 */
export const enrolmentStep: Rule = {
  name: 'enrolment-step',
  weigh: ({ subject: { sequence }, facts: { sameStep } }) => {
    const step = sequence?.step;
    if (!step) return undefined;
    if (sameStep === undefined) throw new Error(`what was approved for step ${step.n + 1} is not among the facts`);
    const stepName = `step ${step.n + 1} of enrolment ${step.enrolment}`;
    return sameStep === 0
      ? pass(`no other message for ${stepName} was approved or waits for a person`)
      : refuse(
          `a message for ${stepName} was approved before or waits for a person: a step is sent once, and proposed again only where the message before was refused or came to nothing`,
          { enrolment: step.enrolment, step: step.n + 1, before: sameStep },
        );
  },
};
