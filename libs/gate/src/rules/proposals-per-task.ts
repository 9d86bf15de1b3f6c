import { proposalsPerTask as shipped } from '@countersign/contracts';
import { type Context, pass, type Rule, refuse } from '../rule.js';

/**
 * How many proposals a task may have. Refused ones count, so that repeating a refused proposal gains nothing. The messages of a
 * sequence count by their enrolment: one for each step, and as many more as a task has.
 */
export const proposalsPerTask: Rule = {
  name: 'proposals-per-task',
  parts: ({ subject: { sequence } }) => (sequence?.step ? [`sequence:${sequence.id}`] : []),
  weigh: (context) => {
    const { task, counted, review } = context.facts;
    if (!task) return undefined;
    if (review) return pass('it was counted before a person was asked');
    if (!counted) throw new Error('how many proposals came before it is not among the facts');
    const found = bound(context);
    if (!found) return undefined;
    const { most, noun, instead } = found;
    const { proposals: before } = counted;
    const figures = { before, most };
    return before < most
      ? pass(`${before + 1} of ${most} ${noun}`, figures)
      : refuse(`${before} of ${most} ${noun} came before it, so it is one too many: ${instead}`, figures);
  },
};

/** Undefined if the sequence is not in force. Another rule refuses that. */
function bound({ subject: { sequence: named }, facts: { task }, charter, policy }: Context) {
  if (!named?.step) {
    const most = charter.limits.proposalsPerTask ?? shipped(task?.contactCount ?? 0);
    const instead = "propose the rest under another task, or have the charter's limits.proposalsPerTask raised";
    return { most, noun: 'proposals of the task', instead };
  }
  const sequence = policy.content.sequences.find((s) => s.id === named.id);
  if (!sequence) return undefined;
  const instead = 'a step that was refused so often is left out';
  return { most: shipped(sequence.steps.length), noun: 'messages of the enrolment', instead };
}
