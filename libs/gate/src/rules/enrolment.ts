import { pass, type Rule, refuse } from '../rule.js';

/**
 * A message of a sequence needs an approved enrolment that has not ended: of its agent and task, for this contact and sequence.
 */
export const enrolment: Rule = {
  name: 'enrolment',
  weigh: ({ subject: { sequence, contacts }, facts: { enrolment: known, review } }) => {
    const step = sequence?.step;
    if (!step) return undefined;
    if (review) return pass('the enrolment was looked at before a person was asked');
    if (known === undefined) throw new Error(`enrolment ${step.enrolment} is not among the facts`);
    if (known === null) {
      return refuse(
        `enrolment ${step.enrolment} was not approved under this task: propose sequence.enroll, and its messages once it has run`,
        { enrolment: step.enrolment },
      );
    }
    if (known.ended === 'stopped') {
      return refuse(
        `sequence ${known.sequenceId} was stopped for contact ${known.contactId} after enrolment ${step.enrolment} was approved: none of its messages is sent any more`,
        { enrolment: step.enrolment, ended: known.ended },
      );
    }
    if (known.ended !== undefined) {
      return refuse(
        `enrolment ${step.enrolment} came to nothing (${known.ended}): propose sequence.enroll anew, and its messages once it has run`,
        { enrolment: step.enrolment, ended: known.ended },
      );
    }
    if (known.sequenceId !== sequence.id) {
      return refuse(`the enrolment is in ${known.sequenceId}, the message says ${sequence.id}`, {
        sequence: known.sequenceId,
      });
    }
    return contacts.every((contact) => contact === known.contactId)
      ? pass(`step ${step.n + 1} of an enrolment that was approved`)
      : refuse(`the enrolment is of contact ${known.contactId}, the message is to another one`, {
          contact: known.contactId,
        });
  },
};
