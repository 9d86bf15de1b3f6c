import type { Facts } from './facts.js';
import { type Finding, pass, refuse } from './rule.js';
import type { Draw } from './subject.js';

/**
 * A count over a rolling window that ends when the action is sent; what is already planned for later counts as well, so no
 * window anywhere holds more than the cap. A refusal says when the next slot opens.
 */
export function rolling(draw: Extract<Draw, { windowMs: number }>, facts: Facts, what: string, cap: number): Finding {
  const ledger = facts.ledgers[draw.ledger];
  if (!ledger || typeof ledger.held === 'number' || typeof ledger.committed === 'number') {
    throw new Error(`${draw.ledger} is not among the facts`);
  }
  const since = Date.parse(draw.countsAt) - draw.windowMs;
  const counted = [...ledger.held, ...ledger.committed]
    .map((at) => Date.parse(at))
    .filter((at) => at > since)
    .sort((a, b) => a - b);
  const used = counted.length;
  const figures = { used, asked: draw.amount, cap };
  if (used + draw.amount <= cap) return pass(`${used + draw.amount} of ${cap} ${what}`, figures);
  const blocking = counted[used + draw.amount - cap - 1];
  if (blocking === undefined) return refuse(`none of ${what} is allowed: the limit is ${cap}`, figures);
  const opens = new Date(blocking + draw.windowMs).toISOString();
  return refuse(`${used} of ${cap} ${what} are used; the next slot opens ${opens}`, { ...figures, opens });
}
