import { pass, type Rule, refuse } from '../rule.js';

/** A message of a sequence belongs to an enrolment that was approved and has not ended, of its agent and task, for this contact and sequence. */
export const enrolment: Rule = {
  name: 'enrolment',
  weigh: ({ subject: { sequence, contacts }, facts: { enrolment: of, review } }) => {
    const step = sequence?.step;
    if (!step) return undefined;
    if (review) return pass('the enrolment was looked at before a person was asked');
    if (of === undefined) throw new Error(`enrolment ${step.enrolment} is not among the facts`);
    if (of === null) {
      return refuse(
        `enrolment ${step.enrolment} was not approved under this task: propose sequence.enroll, and its messages once it has run`,
        { enrolment: step.enrolment },
      );
    }
    if (of.ended === 'stopped') {
      return refuse(
        `sequence ${of.sequenceId} was stopped for contact ${of.contactId} after enrolment ${step.enrolment} was approved: none of its messages is sent any more`,
        { enrolment: step.enrolment, ended: of.ended },
      );
    }
    if (of.ended !== undefined) {
      return refuse(
        `enrolment ${step.enrolment} came to nothing (${of.ended}): propose sequence.enroll anew, and its messages once it has run`,
        { enrolment: step.enrolment, ended: of.ended },
      );
    }
    if (of.sequenceId !== sequence.id) {
      return refuse(`the enrolment is in ${of.sequenceId}, the message says ${sequence.id}`, {
        sequence: of.sequenceId,
      });
    }
    return contacts.every((contact) => contact === of.contactId)
      ? pass(`step ${step.n + 1} of an enrolment that was approved`)
      : refuse(`the enrolment is of contact ${of.contactId}, the message is to another one`, { contact: of.contactId });
  },
};
