import { own } from '@countersign/contracts';
import type { CountLedger, Facts } from './facts.js';
import { type Finding, pass, refuse } from './rule.js';
import type { Draw } from './subject.js';

type RollingDraw = Extract<Draw, { windowMs: number }>;
type RateDraw = Extract<Draw, { rateMs: number }>;

/** Approvals are counted by the minute: a busy hour is sixty numbers, not thousands of times. */
export const rateSlotMs = 60_000;
/** The beginning of the minute in which something is counted. */
export const slotOf = (at: string): number => Math.floor(Date.parse(at) / rateSlotMs) * rateSlotMs;

/** The count of each minute, oldest first. Minutes that are completely outside the window are left out. */
export interface Slots {
  readonly slots: readonly (readonly [startMs: number, count: number])[];
}

/** How an action sees a ledger of approvals. A minute counts until all of it has left the window. */
export function rateOf(draw: RateDraw, { slots }: Slots, at: string): CountLedger {
  const since = slotOf(at) - draw.rateMs;
  const inside = slots.filter(([start]) => start >= since);
  const committed = inside.reduce((sum, [, count]) => sum + count, 0);
  let over = committed + draw.amount - draw.cap;
  if (over <= 0) return { held: 0, committed };
  for (const [start, count] of inside) {
    over -= count;
    if (over <= 0) return { held: 0, committed, blocking: new Date(start + rateSlotMs).toISOString() };
  }
  return { held: 0, committed };
}

/** The time of each count of a rolling ledger, in milliseconds since the epoch, oldest first. */
export interface Counts {
  readonly held: readonly number[];
  readonly committed: readonly number[];
}

/**
 * How an action sees a rolling ledger. The window ends when the action is sent. Counts that are planned for later count as well,
 * so that no window at any time holds more than the cap.
 */
export function windowOf(draw: RollingDraw, { held, committed }: Counts): CountLedger {
  const since = Date.parse(draw.countsAt) - draw.windowMs;
  const [fromHeld, fromCommitted] = [firstAfter(held, since), firstAfter(committed, since)];
  const seen = { held: held.length - fromHeld, committed: committed.length - fromCommitted };
  const over = seen.held + seen.committed + draw.amount - draw.cap;
  if (over <= 0) return seen;
  const counted = [...held.slice(fromHeld), ...committed.slice(fromCommitted)].sort((a, b) => a - b);
  const blocking = counted[over - 1];
  return blocking === undefined ? seen : { ...seen, blocking: new Date(blocking).toISOString() };
}

/** The index of the first time after `since`. It searches by halves, because the ledger of a busy agent is long. */
function firstAfter(times: readonly number[], since: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) > since) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Weighs a rolling count. A refusal says when the next slot is free. */
export function rolling(draw: RollingDraw | RateDraw, facts: Facts, counted: string): Finding {
  const ledger = own(facts.ledgers, draw.ledger);
  if (!ledger || 'currency' in ledger) throw new Error(`${draw.ledger} is not among the facts`);
  const used = ledger.held + ledger.committed;
  const { cap, amount: asked } = draw;
  const figures = { used, asked, cap };
  if (used + asked <= cap) return pass(`${used + asked} of ${cap} ${counted}`, figures);
  if (ledger.blocking === undefined) return refuse(`none of ${counted} is allowed: the limit is ${cap}`, figures);
  const opens = new Date(Date.parse(ledger.blocking) + ('rateMs' in draw ? draw.rateMs : draw.windowMs)).toISOString();
  return refuse(`${used} of ${cap} ${counted} are used; the next slot opens ${opens}`, { ...figures, opens });
}
