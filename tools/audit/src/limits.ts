import type { Policy } from '@countersign/contracts';
import { concerns, type Draw, moneyLedger, rateLedger, totalIn } from '@countersign/gate';
import { type Facts, type Issued, policyName, proposalOf, settledAs, spentOf, stillCounts } from './facts.js';
import type { Finding, Violation } from './finding.js';

interface Booking {
  readonly permit: Issued;
  readonly draw: Draw;
  /** The policy under which it was approved. */
  readonly policy: Policy;
}

/** A verdict's `at` is read before its locks are taken. So a verdict that is dated a little before a release may have seen it. */
const slackMs = 30_000;

/**
 * No limit exceeded: what approvals used is counted again from the catalogue and from the policy under which each was judged, not
 * from their own statements.
 */
export function limits(facts: Facts): Finding {
  const violations: Violation[] = [];
  const ledgers = new Map<string, Booking[]>();
  for (const permit of facts.issued.values()) {
    const policy = facts.policies.get(policyName(permit.claims.policy));
    // If the policy was never published, the check of policies reports it. What such an approval uses cannot be counted.
    if (!policy) continue;
    const draws = drawsOf(permit, policy);
    const asked = draws.map((d) => `${d.ledger} ${d.amount}`).sort();
    const held = permit.claims.reservations.map((r) => `${r.ledger} ${r.amount}`).sort();
    if (asked.join() !== held.join()) {
      const detail = `it takes ${asked.join(', ') || 'nothing'} and reserves ${held.join(', ') || 'nothing'}`;
      violations.push({ invariant: 'limits', ids: [permit.claims.jti], detail });
    }
    for (const draw of draws) {
      const bookings = ledgers.get(draw.ledger);
      if (bookings) bookings.push({ permit, draw, policy });
      else ledgers.set(draw.ledger, [{ permit, draw, policy }]);
    }
  }
  for (const [ledger, bookings] of ledgers) {
    const over = 'currency' in (bookings[0] as Booking).draw ? overMoney(bookings) : overCount(bookings);
    if (over) violations.push({ invariant: 'limits', ids: [ledger, ...over.ids], detail: over.detail });
  }
  return { checked: ledgers.size, violations };
}

function drawsOf(permit: Issued, policy: Policy): readonly Draw[] {
  const { verdict, action, agent } = permit.approval;
  const { draws } = concerns(proposalOf(permit), policy, verdict.at);
  const { adAccountId } = permit.subject;
  if ((verdict.gate ?? 0) >= countsBothSince || adAccountId === undefined || adAccountId === action.accountId)
    return draws;
  return draws.filter(({ ledger }) => ledger !== `${rateLedger}${agent}:${action.accountId}`);
}

/** Since this version of the gate, an action that names an ad account also counts for its CRM account. */
const countsBothSince = 3;

interface Over {
  readonly ids: readonly string[];
  readonly detail: string;
}

/** Money of a day or a month: at the time of each approval, the sum of held and spent money is not above its cap. */
function overMoney(bookings: readonly Booking[]): Over | undefined {
  for (const { permit } of bookings) {
    const at = permit.approval.verdict.at;
    const open = bookings.filter((b) => b.permit.approval.verdict.at <= at && !releasedBy(b.permit, at));
    // The order of approvals in the same instant is unknown, so their sum is compared with the cap of each of them.
    const capped = bookings.flatMap((b) => {
      const { cap } = b.draw;
      // Without a cap it only counts for the caps of other agents.
      return cap === null || b.permit.approval.verdict.at !== at ? [] : [{ cap, used: usedFor(b, open, at) }];
    });
    const [least] = capped.sort((a, b) => a.used - a.cap - (b.used - b.cap));
    if (least && least.used > least.cap) {
      return {
        ids: open.map((b) => b.permit.claims.jti),
        detail: `${least.used} held or spent at ${at}, the limit is ${least.cap}`,
      };
    }
  }
  return undefined;
}

/** The sum of bookings as an approval saw it: in its charter's currency, by the exchange rates of its policy. */
function usedFor({ permit, policy }: Booking, open: readonly Booking[], at: string): number {
  const { charters, rates } = policy.content;
  const sums = new Map<string, number>();
  for (const { permit: other, draw } of open) {
    if (!('currency' in draw)) continue;
    const amount = Math.max(draw.amount, overspentBy(other, at));
    sums.set(draw.currency, (sums.get(draw.currency) ?? 0) + amount);
  }
  const parts = [...sums].map(([currency, held]) => ({ currency, held, committed: 0 }));
  const to = charters.find(({ agent }) => agent === permit.approval.agent)?.currency ?? '';
  const total = totalIn(moneyLedger(parts), { rates, to, at });
  // What cannot be compared with a cap is not approved under it.
  return 'foreign' in total ? Number.POSITIVE_INFINITY : total.held;
}

/** What was known at that time to be spent under a permit. A later overrun is not the fault of an earlier approval. */
function overspentBy(permit: Issued, at: string): number {
  const settled = settledAs(permit, 'executed');
  return settled && Date.parse(settled.place.at) + slackMs <= Date.parse(at) ? (spentOf(permit) ?? 0) : 0;
}

function releasedBy(permit: Issued, at: string): boolean {
  if (stillCounts(permit, 'money')) return false;
  // The validator released it after it had read a settlement, so the broker already had the settlement.
  const times = permit.settlements.map(({ place }) => Date.parse(place.at));
  return Math.min(...times) <= Date.parse(at) + slackMs;
}

/** A rolling count: no window at any time contains more than the cap. */
function overCount(bookings: readonly Booking[]): Over | undefined {
  const counted = bookings
    .flatMap(({ permit, draw }) =>
      'currency' in draw || !('rateMs' in draw || stillCounts(permit, 'count'))
        ? []
        : [{ permit, draw, at: Date.parse('countsAt' in draw ? draw.countsAt : permit.approval.verdict.at) }],
    )
    .sort((a, b) => a.at - b.at);
  let [first, used] = [0, 0];
  for (const [last, { draw, at }] of counted.entries()) {
    used += draw.amount;
    for (
      let left = counted[first];
      left && left.at <= at - ('rateMs' in draw ? draw.rateMs : draw.windowMs);
      left = counted[first]
    ) {
      used -= left.draw.amount;
      first += 1;
    }
    if (used <= draw.cap) continue;
    const within = counted.slice(first, last + 1);
    const cap = Math.max(...within.map((c) => c.draw.cap));
    if (used > cap) {
      const ids = within.map((c) => c.permit.claims.jti);
      return { ids, detail: `${used} within the window that ends ${new Date(at).toISOString()}, the limit is ${cap}` };
    }
  }
  return undefined;
}
