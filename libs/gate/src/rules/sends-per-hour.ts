import { rolling } from '../rolling.js';
import { gravest, type Rule } from '../rule.js';

/** Messages of one agent within any hour. */
export const sendsPerHour: Rule = {
  name: 'sends-per-hour',
  weigh: ({ draws, facts }) =>
    gravest(
      draws.flatMap((draw) =>
        draw.kind === 'send' ? [rolling(draw, facts, `sends of ${draw.holder} in an hour`)] : [],
      ),
    ),
};
