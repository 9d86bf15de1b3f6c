import { rateLedger } from '@countersign/gate';
import { type Facts, type Issued, isExecuted, settledAs, spentOf, stillCounts } from './facts.js';
import type { Finding, Violation, Waiting } from './finding.js';
import type { Reserved } from './observed.js';

type State = Reserved['state'];

/** Reservations add up: each row of the validator, and so each ledger, agrees with permits and settlements. */
export function reservations(facts: Facts): Finding {
  const { reserved } = facts;
  if (reserved === null) return { checked: 0, violations: [], note: "the validator's database was not reachable" };
  const violations: Violation[] = [];
  const waiting: Waiting[] = [];
  const rows = Map.groupBy(reserved, (row) => row.permitId);
  for (const permit of facts.issued.values()) {
    const { jti } = permit.claims;
    const found = new Map((rows.get(jti) ?? []).map((row) => [row.ledger, row]));
    const wrong: string[] = [];
    for (const { ledger, amount, currency } of permit.claims.reservations) {
      // An approval is counted, not held, so nothing gives it back. `limits` counts it again.
      if (ledger.startsWith(rateLedger)) continue;
      const row = found.get(ledger);
      const expected = stateOf(permit, currency === undefined ? 'count' : 'money');
      if (!row) wrong.push(`${ledger} is not reserved`);
      else if (row.amount !== booked(permit, amount, currency)) {
        const spent = spentOf(permit);
        const detail = spent === undefined ? '' : `, ${spent} was spent`;
        wrong.push(`${ledger} reserves ${row.amount}, the permit holds ${amount}${detail}`);
      } else if (row.state !== expected) wrong.push(`${ledger} is ${row.state}, by the settlements it is ${expected}`);
      found.delete(ledger);
    }
    for (const ledger of found.keys()) wrong.push(`${ledger} is reserved, and the permit does not name it`);
    if (wrong.length === 0) continue;
    const last = [permit.place.at, ...permit.settlements.map(({ place }) => place.at)].sort().at(-1) ?? facts.at;
    if (facts.overdue(last)) violations.push({ invariant: 'reservations', ids: [jti], detail: wrong.join('; ') });
    else waiting.push({ what: 'booking', id: jti, for: 'guardrail-validator', since: last, until: null });
  }
  const first = facts.eventsOf('ActionApproved')[0]?.event.data.verdict.at;
  for (const [permitId, [row]] of rows) {
    if (facts.issued.has(permitId) || !row) continue;
    // Older approvals may have left their topic.
    if (first !== undefined && row.issuedAt < first) continue;
    if (facts.overdue(row.issuedAt)) {
      const detail = `${row.ledger} holds ${row.amount} for a permit that is not on the topic`;
      violations.push({ invariant: 'reservations', ids: [permitId], detail });
    } else
      waiting.push({
        what: 'permit',
        id: permitId,
        for: 'guardrail-validator to publish it',
        since: row.issuedAt,
        until: null,
      });
  }
  return { checked: reserved.length, violations, waiting };
}

/** All that was spent is booked: what was reserved, or more where the settlement says more. */
const booked = (permit: Issued, amount: number, currency: string | undefined): number =>
  currency === undefined ? amount : Math.max(amount, spentOf(permit) ?? 0);

function stateOf(permit: Issued, kind: 'money' | 'count'): State {
  if (!stillCounts(permit, kind)) return 'released';
  return isExecuted(permit) || settledAs(permit, 'undone') ? 'committed' : 'held';
}
