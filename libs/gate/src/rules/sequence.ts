import type { NamedSequence, Sequence } from '@countersign/contracts';
import { escalate, type Finding, gravest, pass, type Rule, refuse } from '../rule.js';

/**
 * A sequence, its purpose and its messages come from the policy. The user of a sequence cannot choose the consent that applies or
 * the words that are sent. Only a person may allow other words than those of the step, for example by an edit.
 */
export const sequence: Rule = {
  name: 'sequence',
  parts: ({ subject: { sequence } }) => (sequence?.purpose === undefined ? [] : [`sequence:${sequence.id}`]),
  weigh: ({ subject, policy }) => {
    const named = subject.sequence;
    // A sequence that the policy no longer has can still be stopped.
    if (named?.purpose === undefined) return undefined;
    const { id, purpose } = named;
    const known = policy.content.sequences.find((s) => s.id === id);
    if (!known) return refuse(`the sequence ${id} is not in force`, { sequence: id });
    return gravest([
      known.purpose === purpose
        ? pass(`sequence ${id} is for ${purpose}`)
        : refuse(`sequence ${id} is for ${known.purpose}, the action says ${purpose}`, { sequence: id, purpose }),
      ...messageOf(known, named.step),
    ]);
  },
};

function messageOf({ id, steps }: Sequence, step: NamedSequence['step']): readonly Finding[] {
  if (!step) return [];
  const figures = { sequence: id, step: step.n + 1 };
  const known = steps.at(step.n);
  if (!known) return [refuse(`sequence ${id} has no step ${step.n + 1}`, figures)];
  const stepName = `step ${step.n + 1} of sequence ${id}`;
  if (known.template !== step.template)
    return [refuse(`${stepName} is ${known.template}, the action says ${step.template}`, figures)];
  const other = [...(known.subject === step.subject ? [] : ['subject']), ...(known.body === step.body ? [] : ['body'])];
  return other.length === 0
    ? []
    : [
        escalate(
          `the ${other.join(' and the ')} of the message is not that of ${stepName}: a person answers for it`,
          figures,
        ),
      ];
}
