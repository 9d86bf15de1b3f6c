import type { Card } from '@countersign/client/core';

const hourMs = 3_600_000;

/** Which cards come first: due within the hour, within a day, later, past their deadline. */
function urgencyOf({ deadline }: Card, now: number): number {
  const left = Date.parse(deadline) - now;
  return left <= 0 ? 3 : left < hourMs ? 0 : left < 24 * hourMs ? 1 : 2;
}

/** How much is at stake, by what cannot be taken back, by whom it reaches, and by whether it moves money. */
function gravityOf({ subject, facts }: Card): number {
  if (subject === 'checkpoint') return 1;
  const final = facts.reversible?.startsWith('cannot') ? 4 : 0;
  const senior = facts.people?.some(({ seniority }) => seniority === 'c-suite' || seniority === 'vp') ? 2 : 0;
  return final + senior + (facts.money ? 1 : 0);
}

/** The money of an action, as a share of the cap that it takes most of. Money that no cap bounds has the largest share. */
function moneyOf({ facts: { money, runningTotals = [] } }: Card) {
  if (!money) return { share: 0, currency: '', amount: 0 };
  const shares = runningTotals.flatMap(({ cap, currency, asked }) =>
    currency === money.currency || asked !== undefined ? [(asked ?? money.amountMinor) / Math.max(1, cap)] : [],
  );
  const share = shares.length === 0 ? Number.MAX_VALUE : Math.max(...shares);
  return { share, currency: money.currency, amount: money.amountMinor };
}

function byMoney(a: Card, b: Card): number {
  const [first, second] = [moneyOf(a), moneyOf(b)];
  return second.share - first.share || first.currency.localeCompare(second.currency) || second.amount - first.amount;
}

/**
 * The order of the page Reviews: by urgency, then the graver, then the larger share of a cap, then the nearer deadline.
 * `test/architecture/review-order.spec.ts` compares both.
 */
export const byRisk = (cards: readonly Card[], now: string): Card[] =>
  cards.toSorted(
    (a, b) =>
      urgencyOf(a, Date.parse(now)) - urgencyOf(b, Date.parse(now)) ||
      gravityOf(b) - gravityOf(a) ||
      byMoney(a, b) ||
      a.deadline.localeCompare(b.deadline) ||
      a.id.localeCompare(b.id),
  );
