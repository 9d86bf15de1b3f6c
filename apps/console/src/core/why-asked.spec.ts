import type { DataOf, Reason } from '@countersign/contracts';
import { type Judgement, judge } from '@countersign/gate';
import {
  at,
  charter,
  contact,
  content,
  type FactsChange,
  factsFor,
  granted,
  policyOf,
  proposalOf,
} from '@countersign/gate/testing';
import type { Received } from '@countersign/runtime';
import { expect, test } from 'vitest';
import { escalated } from './given.js';
import { thingsIn } from './things.js';
import { whyAsked } from './why-asked.js';

type Proposal = ReturnType<typeof proposalOf>;
interface World {
  readonly proposal: Proposal;
  readonly facts?: FactsChange;
  readonly policy?: ReturnType<typeof policyOf>;
}
const judged = ({ proposal, facts = {}, policy = policyOf() }: World): Judgement =>
  judge(proposal, factsFor(proposal, facts, policy), policy, at);

/** The text of the messages about an escalation with these reasons. */
const textOf = (reasons: readonly Reason[], more: Partial<DataOf<'ActionEscalated'>> = {}): string => {
  const data = escalated({ verdict: { ...escalated().verdict, reasons: [...reasons] }, ...more });
  const event = { type: 'ActionEscalated', data, source: 'x', id: 'x', time: at };
  const things = thingsIn([{ event, topic: 'x', partition: 0, offset: '0', key: 'k' } as unknown as Received]);
  return things.flatMap(({ facts }) => [facts.title, ...facts.lines.map(([, text]) => text)]).join('\n');
};

const email = proposalOf('email.send');
const shift = (amountMinor: number) => proposalOf('ads.shift_budget', { amountMinor });
const named = (task: Readonly<Record<string, string>>): FactsChange => ({
  task: { ...(factsFor(email).task as NonNullable<ReturnType<typeof factsFor>['task']>), named: task },
});
const unnamed = content();
const step = { sequence: { id: 'comparison-follow-up', enrolment: contact, step: 0 }, template: 'follow-up' };

/** Worlds in which the gate asks a person, by the rule that asks. */
const worlds: Readonly<Record<string, readonly [World, ...World[]]>> = {
  tier: [
    {
      proposal: proposalOf('ads.set_bid'),
      facts: { decided: 3 },
      policy: policyOf(content({ charter: { firstReviewed: 50 } })),
    },
    {
      proposal: proposalOf('ads.set_bid'),
      policy: policyOf(content({ charter: { kinds: { 'ads.set_bid': 'suggest' } } })),
    },
  ],
  'budget-threshold': [
    {
      proposal: shift(20_001),
      policy: policyOf(content({ charter: { limits: { ...charter.limits, approvalAbovePercent: 100 } } })),
    },
    { proposal: shift(10_001) },
    { proposal: shift(1_000), facts: { adAccounts: { 'ads-emea': null } } },
  ],
  'bid-threshold': [{ proposal: proposalOf('ads.set_bid', { bidMinor: 90_000 }) }],
  'ad-account-total': [
    {
      proposal: shift(3_000),
      policy: policyOf(content({ charter: { limits: { approvalAboveAdAccountTotalPerDayMinor: 2_999 } } })),
    },
  ],
  'new-creative': [{ proposal: proposalOf('ads.publish_creative') }],
  'first-touch': [
    {
      proposal: email,
      facts: { contacts: { [contact]: { version: 1, seniority: 'c-suite', touched: false, accountId: 'acme' } } },
    },
  ],
  consent: [
    {
      proposal: email,
      facts: {
        consents: {
          [contact]: { ...granted(), entries: granted().entries.map((e) => ({ ...e, status: 'disputed' as const })) },
        },
      },
    },
  ],
  'facts-behind': [{ proposal: email, facts: { versions: {} } }],
  lineage: [
    { proposal: proposalOf('ads.set_bid', {}, { lineage: 'untrusted' }) },
    { proposal: proposalOf('ads.set_bid', {}, { lineage: undefined as never }) },
  ],
  account: [{ proposal: proposalOf('crm.create_task', { contactId: undefined }) }],
  owner: [{ proposal: proposalOf('crm.create_task', { ownerId: 'ann-miller' }) }],
  campaign: [{ proposal: proposalOf('ads.set_bid', { campaignId: 'ann-miller' }) }],
  task: [{ proposal: email, facts: named({}) }],
  purpose: [
    {
      proposal: email,
      policy: policyOf({
        ...unnamed,
        plays: unnamed.plays.map((play) => ({ ...play, tasks: play.tasks.map((task) => ({ ...task, settings: {} })) })),
      }),
    },
  ],
  'personal-data': [
    {
      proposal: proposalOf('email.send', { body: 'Ann Miller, ann@elsewhere.example' }),
      policy: policyOf(content({ rules: { personalData: { verdict: 'escalate', ours: [] } } })),
    },
  ],
  claims: [
    {
      proposal: proposalOf('email.send', { body: 'Twice as fast as Ann.' }),
      policy: policyOf(content({ rules: { claims: [{ claim: 'twice as fast as ann', evidence: [] }] } })),
    },
  ],
  sequence: [{ proposal: proposalOf('email.send', { ...step, subject: 'For Ann', body: 'Ann, only today.' }) }],
  review: [
    {
      proposal: proposalOf('ads.publish_creative'),
      facts: {
        review: { reviewId: contact, decision: 'approve', by: 'ann-miller', digest: 'a'.repeat(64), at },
      } as never,
    },
  ],
};

const reasonsOf = (world: World, rule: string) =>
  judged(world).verdict.reasons.filter((reason) => reason.rule === rule);

test.each(Object.entries(worlds).flatMap(([rule, all]) => all.map((world, n) => [rule, n, world] as const)))(
  'the rule %s (%i) asks in words of its own, which hold nothing of a person',
  (rule, _n, world) => {
    const { verdict } = judged(world);
    const asks = reasonsOf(world, rule);
    expect(asks.map(({ outcome }) => outcome)).toEqual(['escalate']);
    const words = whyAsked(asks);
    expect(words).toHaveLength(1);
    expect(words[0]).not.toContain('the rule ');
    const text = textOf(verdict.reasons);
    for (const [data, found] of Object.entries({
      contact,
      seniority: 'c-suite',
      name: /ann/i,
      address: '@',
      instant: at,
    }))
      if (typeof found === 'string') expect(text, data).not.toContain(found);
      else expect(text, data).not.toMatch(found);
  },
);

test('a total says which limit it is above', () => {
  const [total] = worlds['ad-account-total'] ?? [];
  expect(total && whyAsked(reasonsOf(total, 'ad-account-total'))).toEqual([
    'with it EUR 30.00 are held or spent today on the ad account, above EUR 29.99, the most without a person',
  ]);
});

test('an amount says which limit it is above', () => {
  const [above, share, unknown] = worlds['budget-threshold'] ?? [];
  const wordsOf = (world: World | undefined) => world && whyAsked(reasonsOf(world, 'budget-threshold'));
  expect(wordsOf(above)).toEqual([
    'a change of the daily budget by EUR 200.01 is above EUR 200.00, the most without a person',
  ]);
  expect(wordsOf(share)).toEqual(['a change of the daily budget by EUR 100.01 is more than 25 % of it']);
  expect(wordsOf(unknown)).toEqual(['facts are unclear: the present daily budget is not known']);
});

/** Every rule that the gate runs, and those that it adds to the verdict itself. */
const rules = [...judged({ proposal: email }).verdict.reasons.map(({ rule }) => rule), 'review', 'reviews-waiting'];

test.each([...rules, 'a-rule-of-tomorrow'])('whatever the rule %s writes, none of it leaves the console', (rule) => {
  expect(rules.length).toBeGreaterThan(30);
  const names = rules.flatMap((each) =>
    Object.values(worlds[each] ?? []).flatMap((world) => judged(world).verdict.reasons),
  );
  const figures = new Set(names.flatMap((reason) => Object.keys(reason.figures ?? {})));
  expect(figures.size).toBeGreaterThan(10);
  // The same rule about two people: a sentence that differs would tell something about one of them.
  const about = (person: string): Reason => ({
    rule,
    outcome: 'escalate',
    detail: `${person} (c-suite) of ${person}@example.com agreed to sales on ${at}`,
    figures: Object.fromEntries([...figures, 'a figure of tomorrow'].map((name) => [name, person])),
  });
  expect(whyAsked([about('Ann Miller')])).toEqual(whyAsked([about('Bob')]));
  expect(textOf([about('ann')])).not.toMatch(/\bann\b|c-suite|example|2026/);
});

test('what is no name of a rule is not shown as one', () => {
  expect(whyAsked([{ rule: 'Ann <ann@example.com>', outcome: 'escalate', detail: 'x' }])).toEqual([
    'the rule that the page names asks for a person',
  ]);
});

test('the name of an account that is an address goes out without it', () => {
  const card = { ...escalated().card, accountName: 'Miller, ann@example.com' };
  expect(textOf([], { card })).toContain('Miller, [address]');
});
