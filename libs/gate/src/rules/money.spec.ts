import type { Charter, Rates } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import type { MoneyLedger } from '../facts.js';
import { judge } from '../judge.js';
import { open } from '../open.js';
import {
  adAccountLedger,
  approvedEvent,
  at,
  campaignLedger,
  content,
  type FactsChange,
  factsFor,
  permitKeys,
  policyOf,
  proposalOf,
  stateFor,
} from '../testing.js';

/* Caps of days and months, the day's total of an ad account, and amounts in other currencies. */

type Limits = Partial<Charter['limits']>;
const rates: Rates = { day: '2026-11-20', maxAgeDays: 7, base: 'EUR', perBase: { USD: 1.25, GBP: 0.8 } };
const euro = (held: number, committed = 0): MoneyLedger => ({ held, committed, currency: 'EUR' });
const shift = (amountMinor: number, currency = 'EUR') => proposalOf('ads.shift_budget', { amountMinor, currency });
const inUsd: FactsChange = {
  adAccounts: {
    'ads-emea': {
      version: 5,
      currency: 'USD',
      campaigns: { 'cmp-from': { dailyBudgetMinor: 40_000 }, 'cmp-to': { dailyBudgetMinor: 40_000 } },
    },
  },
};

function decide(
  proposal: ReturnType<typeof shift>,
  { limits = {}, facts = {}, given, now = at }: { limits?: Limits; facts?: FactsChange; given?: Rates; now?: string },
) {
  const policy = policyOf(content({ charter: { limits }, ...(given && { rates: given }) }));
  const found = factsFor(proposal, facts, policy, now);
  const judgement = judge(proposal, found, policy, now);
  const reason = (rule: string) => judgement.verdict.reasons.find((r) => r.rule === rule);
  return { ...judgement, facts: found, policy, outcome: judgement.verdict.outcome, reason };
}
const moneyOf = ({ claims }: ReturnType<typeof decide>) =>
  claims?.reservations.filter(({ currency }) => currency !== undefined).map(({ ledger }) => ledger);

describe('caps of money', () => {
  const all: Limits = {
    campaignSpendPerMonthMinor: 300_000,
    adAccountSpendPerMonthMinor: 900_000,
    agentSpendPerDayMinor: 90_000,
    agentSpendPerMonthMinor: 900_000,
  };
  const [agentDay, agentMonth] = ['spend:agent:paid-media-agent:2026-11-21', 'spend:agent:paid-media-agent:2026-11'];
  const [campaignMonth, accountMonth] = ['spend:campaign:cmp-to:2026-11', 'spend:ad-account:ads-emea:2026-11'];

  test('a permit reserves under each cap that the charter has, in ledger order, and under no other', () => {
    expect(moneyOf(decide(shift(3_000), { limits: all }))).toEqual([
      accountMonth,
      adAccountLedger,
      agentMonth,
      agentDay,
      campaignMonth,
      campaignLedger,
    ]);
    expect(moneyOf(decide(shift(3_000), {}))).toEqual([adAccountLedger, campaignLedger]);
  });

  test.each([
    [
      'spend-cap-campaign',
      campaignMonth,
      { campaignSpendPerMonthMinor: 100_000 },
      'the monthly cap',
      'campaign cmp-to',
      'this month',
    ],
    [
      'spend-cap-ad-account',
      accountMonth,
      { adAccountSpendPerMonthMinor: 100_000 },
      'the monthly cap',
      'ad account ads-emea',
      'this month',
    ],
    [
      'spend-cap-agent',
      agentMonth,
      { agentSpendPerMonthMinor: 100_000 },
      'the monthly cap',
      'paid-media-agent',
      'this month',
    ],
    ['spend-cap-agent', agentDay, { agentSpendPerDayMinor: 100_000 }, 'the daily cap', 'paid-media-agent', 'today'],
  ] as const)('%s refuses what goes over the cap on %s, by how much', (rule, ledger, limits, cap, holder, when) => {
    const left = decide(shift(3_000), { limits, facts: { ledgers: { [ledger]: euro(7_000, 90_000) } } });
    expect([left.outcome, left.reason(rule)?.outcome]).toEqual(['approved', 'pass']);
    expect(left.reason(rule)?.detail).toContain(`EUR 1,000.00 of ${cap} of EUR 1,000.00 of ${holder}`);
    const over = decide(shift(3_000), { limits, facts: { ledgers: { [ledger]: euro(7_001, 90_000) } } });
    expect(over.reason(rule)).toMatchObject({
      outcome: 'refuse',
      detail: `EUR 0.01 over ${cap} of EUR 1,000.00 of ${holder}: EUR 970.01 held or spent ${when}, EUR 30.00 asked for`,
      figures: {
        amountMinor: 3_000,
        heldMinor: 7_001,
        committedMinor: 90_000,
        capMinor: 100_000,
        overMinor: 1,
        currency: 'EUR',
      },
    });
    expect(over.outcome).toBe('refused');
  });

  test('the figures of the day come first where day and month both have room', () => {
    const { reason } = decide(shift(3_000), { limits: all, facts: { ledgers: { [campaignLedger]: euro(500) } } });
    expect(reason('spend-cap-campaign')).toMatchObject({
      detail:
        'EUR 35.00 of the daily cap of EUR 500.00 of campaign cmp-to; EUR 30.00 of the monthly cap of EUR 3,000.00 of campaign cmp-to',
      figures: { heldMinor: 500, capMinor: 50_000 },
    });
  });

  test('a cap of nothing leaves nothing', () => {
    for (const limit of Object.keys(all)) expect(decide(shift(1), { limits: { [limit]: 0 } }).outcome).toBe('refused');
  });

  test('days and months are those of the charter’s zone', () => {
    const ledgersAt = (now: string) =>
      moneyOf(decide(shift(3_000), { limits: { agentSpendPerMonthMinor: 5_000 }, now }));
    // Midnight in Berlin is 23:00 UTC in winter.
    expect(ledgersAt('2026-11-30T22:59:59.999Z')).toContain(agentMonth);
    expect(ledgersAt('2026-11-30T23:00:00.000Z')).toEqual([
      'spend:ad-account:ads-emea:2026-12-01',
      'spend:agent:paid-media-agent:2026-12',
      'spend:campaign:cmp-to:2026-12-01',
    ]);
  });

  test('a spend counts for the cap that the charter of another agent has on the same campaign, and not for the cap of that agent', () => {
    const base = content({ charter: { limits: all } });
    const charters = base.charters.map((charter) =>
      charter.agent === 'paid-media-agent'
        ? { ...charter, limits: content().charters[0]?.limits ?? charter.limits }
        : charter,
    );
    const policy = policyOf({ ...base, charters });
    const proposal = shift(3_000);
    const ledgers = { [campaignMonth]: euro(1_000_000), [accountMonth]: euro(1_000_000) };
    const judgement = judge(proposal, factsFor(proposal, { ledgers }, policy), policy, at);
    expect(judgement.verdict.outcome).toBe('approved');
    expect(judgement.claims?.reservations.filter((r) => r.currency).map((r) => r.ledger)).toEqual([
      accountMonth,
      adAccountLedger,
      campaignMonth,
      campaignLedger,
    ]);
  });

  test('what costs nothing is under no cap of money', () => {
    const { reason, outcome } = decide(proposalOf('ads.pause_campaign'), { limits: { agentSpendPerDayMinor: 0 } });
    expect([outcome, reason('spend-cap-agent')?.detail]).toEqual(['approved', 'does not concern ads.pause_campaign']);
  });

  test('a ledger that was not loaded is a refusal under its rule', () => {
    const proposal = shift(3_000);
    const policy = policyOf(content({ charter: { limits: all } }));
    const facts = factsFor(proposal, {}, policy);
    for (const [ledger, rule] of [
      [agentMonth, 'spend-cap-agent'],
      [accountMonth, 'spend-cap-ad-account'],
    ]) {
      const { [ledger as string]: _left, ...ledgers } = facts.ledgers;
      const { verdict } = judge(proposal, { ...facts, ledgers }, policy, at);
      expect(verdict.reasons.find((r) => r.rule === rule)?.detail).toBe(
        `the rule failed: ${ledger} is not among the facts`,
      );
      expect(verdict.outcome).toBe('refused');
    }
  });
});

describe('the day’s total of an ad account', () => {
  const limits: Limits = { approvalAboveAdAccountTotalPerDayMinor: 10_000 };
  const withTotal = (held: number, committed: number) => ({
    facts: { ledgers: { [adAccountLedger]: euro(held, committed) } },
  });

  test('asks a person above the amount, however small the action is, and nobody up to it', () => {
    expect(decide(shift(100), { limits, ...withTotal(4_000, 5_900) }).outcome).toBe('approved');
    const asked = decide(shift(101), { limits, ...withTotal(4_000, 5_900) });
    expect(asked.outcome).toBe('escalated');
    expect(asked.reason('ad-account-total')).toMatchObject({
      outcome: 'escalate',
      detail:
        'with EUR 1.01 asked for, EUR 100.01 are held or spent today on ad account ads-emea by all agents, above EUR 100.00, the most without a person',
      figures: { amountMinor: 101, usedMinor: 9_900, totalMinor: 10_001, aboveMinor: 10_000, currency: 'EUR' },
    });
  });

  test('is off where the charter does not say', () => {
    const { outcome, reason } = decide(shift(100), withTotal(70_000, 9_000));
    expect([outcome, reason('ad-account-total')?.outcome]).toEqual(['approved', 'pass']);
  });

  test('counts what other currencies were spent, or refuses where that cannot be counted', () => {
    const others = [{ currency: 'USD', held: 5_000, committed: 0 }];
    const facts = { ledgers: { [adAccountLedger]: { ...euro(5_900), others } } };
    expect(decide(shift(100), { limits, facts, given: rates }).outcome).toBe('approved');
    expect(decide(shift(101), { limits, facts, given: rates }).outcome).toBe('escalated');
    const { outcome, reason } = decide(shift(100), { limits, facts });
    expect([outcome, reason('ad-account-total')?.detail]).toEqual([
      'refused',
      'USD cannot be counted in a total in EUR: the policy has no exchange rates',
    ]);
  });
});

describe('an action in another currency than the charter’s limits', () => {
  const asked = (amountMinor: number, more: Parameters<typeof decide>[1] = {}) =>
    decide(shift(amountMinor, 'USD'), { facts: inUsd, given: rates, ...more });

  test('is compared by the exchange rates, which are a fact of its verdict', () => {
    const fine = asked(5_000);
    expect(fine.outcome).toBe('approved');
    expect(fine.facts.rates).toEqual({ ...rates, perBase: { USD: 1.25 } });
    expect(fine.reason('currency')?.detail).toBe(
      'USD, compared with limits in EUR by the exchange rates of 2026-11-20',
    );
    // The amount itself stays in its own currency.
    expect(fine.claims?.reservations).toContainEqual({ ledger: campaignLedger, amount: 5_000, currency: 'USD' });
  });

  test('is refused by a cap in the currency of the cap', () => {
    const over = asked(5_001, { limits: { campaignSpendPerDayMinor: 4_000 } });
    expect(over.reason('spend-cap-campaign')).toMatchObject({
      outcome: 'refuse',
      detail:
        'EUR 0.01 over the daily cap of EUR 40.00 of campaign cmp-to: EUR 0.00 held or spent today, USD 50.01 (EUR 40.01) asked for',
      figures: { amountMinor: 4_001, capMinor: 4_000, currency: 'EUR', rates: '2026-11-20' },
    });
    expect(asked(5_000, { limits: { campaignSpendPerDayMinor: 4_000 } }).outcome).toBe('approved');
  });

  test('needs a person above the amount of the charter, in the currency of the charter', () => {
    const limits = { approvalAboveMinor: 4_000 };
    expect(asked(5_000, { limits }).outcome).toBe('approved');
    expect(asked(5_001, { limits }).reason('budget-threshold')?.detail).toContain(
      'a change of USD 50.01 (EUR 40.01) for campaign cmp-from is above EUR 40.00, the most without a person',
    );
  });

  test.each<[string, Rates | undefined, string]>([
    ['there are no rates', undefined, ''],
    [
      'the rates are too old',
      { ...rates, day: '2026-11-13' },
      ', and the exchange rates of 2026-11-13 are 8 days old, and at most 7 are allowed',
    ],
    [
      'the rates are of a day to come',
      { ...rates, day: '2026-11-24' },
      ', and the exchange rates are of 2026-11-24, a day that has not come',
    ],
    [
      'the rates do not have it',
      { ...rates, perBase: { GBP: 0.8 } },
      ', and the exchange rates of 2026-11-20 do not have USD',
    ],
  ])('is refused if %s', (_why, given, why) => {
    const { outcome, reason } = decide(shift(5_000, 'USD'), { facts: inUsd, ...(given && { given }) });
    expect(outcome).toBe('refused');
    expect(reason('currency')?.detail).toBe(`the action is in USD, the charter's limits are in EUR${why}`);
  });

  test('is refused if ISO 4217 does not have it, whatever the rates say', () => {
    const odd = { ...rates, perBase: { QQQ: 2 } };
    const { outcome, reason } = decide(shift(5_000, 'QQQ'), { given: odd });
    expect([outcome, reason('currency')?.detail]).toEqual(['refused', 'ISO 4217 has no currency QQQ']);
  });

  test('is refused if its ad account is in a third one', () => {
    const { outcome, reason } = decide(shift(5_000, 'USD'), { given: rates });
    expect([outcome, reason('currency')?.detail]).toEqual([
      'refused',
      'the action is in USD, ad account ads-emea is in EUR',
    ]);
  });

  test('has a permit that ends with a change of the rates; one in the currency of the charter does not see them', () => {
    const { signing, keys } = permitKeys();
    const openedAfter = (judged: ReturnType<typeof decide>, proposal: ReturnType<typeof shift>) => {
      const event = approvedEvent(proposal, judged, signing);
      const now = { ...judged.policy.content, rates: { ...rates, day: '2026-11-21' } };
      const opened = open(event, {
        ...{ keys, audience: 'action-executor/ads', at, spent: false },
        state: stateFor(judged.facts, policyOf(now, 8)),
      });
      return opened.ok ? 'opened' : opened.refusal.code;
    };
    expect(openedAfter(asked(5_000), shift(5_000, 'USD'))).toBe('policy-changed');
    expect(openedAfter(decide(shift(5_000), { given: rates }), shift(5_000))).toBe('opened');
  });

  test('[case 58] is judged again from what is stored with the same words', () => {
    const first = asked(5_000);
    const stored = JSON.parse(JSON.stringify({ facts: first.facts, policy: first.policy })) as typeof first;
    const again = judge(shift(5_000, 'USD'), stored.facts, stored.policy, at);
    expect(again.verdict).toEqual(first.verdict);
  });
});

test('rates of a policy change nothing for amounts in the currency of the charter', () => {
  const [without, withRates] = [decide(shift(3_000), {}), decide(shift(3_000), { given: rates })];
  expect(withRates.facts).toEqual(without.facts);
  expect(withRates.verdict.reasons).toEqual(without.verdict.reasons);
  expect(Object.keys(withRates.claims?.policy.parts ?? {})).toEqual(Object.keys(without.claims?.policy.parts ?? {}));
});
