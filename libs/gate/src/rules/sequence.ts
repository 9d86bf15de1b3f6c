import { pass, type Rule, refuse } from '../rule.js';

/** A sequence is the policy's, its purpose too: which consent is asked for is not its user's to choose. */
export const sequence: Rule = {
  name: 'sequence',
  parts: ({ subject }) => (subject.sequence ? [`sequence:${subject.sequence.id}`] : []),
  weigh: ({ subject, policy }) => {
    const named = subject.sequence;
    if (!named) return undefined;
    const { id, purpose } = named;
    const known = policy.content.sequences.find((s) => s.id === id);
    if (!known) return refuse(`the sequence ${id} is not in force`, { sequence: id });
    return known.purpose === purpose
      ? pass(`sequence ${id} is for ${purpose}`)
      : refuse(`sequence ${id} is for ${known.purpose}, the action says ${purpose}`, { sequence: id, purpose });
  },
};
