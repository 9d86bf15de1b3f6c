import { pass, type Rule, refuse } from '../rule.js';

/** Kinds that nobody may do, whatever else allows them. */
export const prohibitedKind: Rule = {
  name: 'prohibited-kind',
  parts: () => ['rules.prohibitedKinds'],
  weigh: ({ subject, policy }) =>
    policy.content.rules.prohibitedKinds.includes(subject.kind)
      ? refuse(`${subject.kind} is prohibited for everybody`, { kind: subject.kind })
      : pass(`${subject.kind} is not prohibited`),
};
