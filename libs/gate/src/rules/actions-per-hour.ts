import { rolling } from '../rolling.js';
import { gravest, type Rule } from '../rule.js';

/**
 * Approvals of one agent within an hour, in total and for one account. This limit also holds for actions that cost no money and
 * touch nobody.
 */
export const actionsPerHour: Rule = {
  name: 'actions-per-hour',
  weigh: ({ draws, facts }) =>
    gravest(
      draws.flatMap((draw) =>
        draw.kind === 'rate' ? [rolling(draw, facts, `actions of ${draw.holder} in an hour`)] : [],
      ),
    ),
};
