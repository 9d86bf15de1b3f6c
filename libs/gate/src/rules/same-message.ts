import { rolling } from '../rolling.js';
import { gravest, pass, type Rule, refuse } from '../rule.js';

/** Nobody gets the same body again under another proposal, whichever agent writes it, in the days that the policy says. */
export const sameMessage: Rule = {
  name: 'same-message',
  parts: ({ subject }) => (subject.spec.touches ? ['rules.sameMessageDays'] : []),
  weigh: ({ subject, draws, facts, policy }) => {
    if (!subject.spec.touches) return undefined;
    const { sameMessageDays } = policy.content.rules;
    if (sameMessageDays === undefined) return pass('the same message may go to a person again');
    const within = `within ${sameMessageDays === 1 ? '1 day' : `${sameMessageDays} days`}`;
    return gravest(
      draws.flatMap((draw) => {
        if (draw.kind !== 'message') return [];
        const found = rolling(draw, facts, `messages with this body to ${draw.holder} ${within}`);
        if (found.outcome !== 'refuse') return [found];
        const { opens } = found.figures ?? {};
        const from = opens === undefined ? '' : `, or send it from ${opens} on`;
        return [
          refuse(
            `another proposal sends, or sent, a message with this body to ${draw.holder} ${within}: write another one${from}`,
            found.figures,
          ),
        ];
      }),
    );
  },
};
