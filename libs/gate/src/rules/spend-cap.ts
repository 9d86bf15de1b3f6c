import { money, own } from '@countersign/contracts';
import { bounded, comparable, totalIn, whyNot } from '../rates.js';
import { type Context, type Finding, gravest, pass, type Rule, refuse } from '../rule.js';
import type { SpendDraw, SpendScope } from '../spend.js';

/** The ledger of a limit of money. Throws if it was not loaded. */
export function ledgerOf({ ledger: name }: SpendDraw, { facts }: Pick<Context, 'facts'>) {
  const ledger = own(facts.ledgers, name);
  if (!ledger || !('currency' in ledger)) throw new Error(`${name} is not among the facts`);
  return ledger;
}

/** The limits of money of one scope, the day's first. */
export const spendsOf = ({ draws }: Pick<Context, 'draws'>, scope: SpendScope): readonly SpendDraw[] =>
  draws
    .filter((draw): draw is SpendDraw => draw.kind === `spend-${scope}`)
    .sort((a, b) => (a.period < b.period ? -1 : a.period > b.period ? 1 : 0));

function weigh(draw: SpendDraw, context: Context): Finding[] {
  const { cap, holder } = draw;
  if (cap === null) return [];
  const to = context.charter.currency;
  const compared = { rates: context.facts.rates, to, at: context.at };
  const ledger = ledgerOf(draw, context);
  const asked = comparable(draw.amount, draw.currency, compared);
  const known = totalIn(ledger, compared);
  const [named, when] = draw.period === 'day' ? ['daily cap', 'today'] : ['monthly cap', 'this month'];
  if (!asked || 'foreign' in known) {
    const foreign = asked && 'foreign' in known ? known.foreign : draw.currency;
    const why = whyNot(foreign, compared);
    return [
      refuse(
        asked
          ? `${foreign} held or spent ${when} on ${holder} cannot be compared with the ${named} in ${to}: ${why}`
          : `${foreign} cannot be counted against a cap in ${to}: ${why}`,
        { currency: foreign, cap: to },
      ),
    ];
  }
  const { held, committed } = known;
  const used = bounded(held + committed);
  const total = bounded(used + asked.minor);
  const over = bounded(used + asked.minor - cap);
  const figures = {
    amountMinor: asked.minor,
    heldMinor: held,
    committedMinor: committed,
    capMinor: cap,
    currency: to,
    ...(context.facts.rates && { rates: context.facts.rates.day }),
  };
  return [
    over > 0
      ? refuse(
          `${money(over, to)} over the ${named} of ${money(cap, to)} of ${holder}: ${money(used, to)} held or spent ${when}, ${asked.text} asked for`,
          { ...figures, overMinor: over },
        )
      : pass(`${money(total, to)} of the ${named} of ${money(cap, to)} of ${holder}`, figures),
  ];
}

const capOf =
  (scope: SpendScope) =>
  (context: Context): Finding | undefined =>
    gravest(spendsOf(context, scope).flatMap((draw) => weigh(draw, context)));

/** Money committed in one day and in one month on one campaign, by all agents. */
export const campaignSpendCap: Rule = { name: 'spend-cap-campaign', weigh: capOf('campaign') };
/** Money committed in one day and in one month on one ad account, by all agents. */
export const adAccountSpendCap: Rule = { name: 'spend-cap-ad-account', weigh: capOf('ad-account') };
/** Money that one agent commits in one day and in one month, wherever. */
export const agentSpendCap: Rule = {
  name: 'spend-cap-agent',
  weigh: (context) => {
    if (!context.subject.spend) return undefined;
    return capOf('agent')(context) ?? pass(`the charter has no cap for all that ${context.proposal.agent} spends`);
  },
};
