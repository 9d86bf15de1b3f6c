import { rolling } from '../rolling.js';
import { gravest, type Rule } from '../rule.js';

/** Touches of one person by all agents over all channels together. */
export const contactFrequency: Rule = {
  name: 'contact-frequency',
  parts: ({ subject }) => (subject.spec.touches ? ['rules.contactFrequency'] : []),
  weigh: ({ draws, facts, policy }) =>
    gravest(
      draws.flatMap((draw) => {
        if (draw.kind !== 'touch') return [];
        const { days } = policy.content.rules.contactFrequency;
        return [rolling(draw, facts, `touches of ${draw.holder} in ${days} days`)];
      }),
    ),
};
