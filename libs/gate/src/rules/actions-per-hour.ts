import { rolling } from '../rolling.js';
import { gravest, type Rule } from '../rule.js';

/** Approvals of one agent within an hour, in all and for one account: what holds where neither money nor touches are counted. */
export const actionsPerHour: Rule = {
  name: 'actions-per-hour',
  weigh: ({ draws, facts }) =>
    gravest(
      draws.flatMap((draw) =>
        draw.kind === 'rate' ? [rolling(draw, facts, `actions of ${draw.holder} in an hour`)] : [],
      ),
    ),
};
