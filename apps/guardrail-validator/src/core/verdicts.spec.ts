import { canonical, derivedId, digestOf, kindSpec, type PolicyContent, topics } from '@countersign/contracts';
import { type Counts, judge, type MoneyLedger, readAction, type Slots, taskFact } from '@countersign/gate';
import {
  adAccountLedger,
  at,
  campaignLedger,
  contact,
  content,
  granted,
  policyOf,
  taskOf,
} from '@countersign/gate/testing';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { escalatedEvent } from './events.js';
import { decideVerdicts, type LoadedUnder, neededBy, proposed } from './testing.js';
import {
  enrolmentBy,
  decideVerdicts as judgeAll,
  markOf,
  neededBy as needs,
  prepare,
  stateNamed,
  stepOf,
} from './verdicts.js';

const policy = policyOf();
const provenance = {};
const loaded = (change: Partial<LoadedUnder> = {}): LoadedUnder => ({
  policy,
  tasks: new Map(
    ['paid-media-agent', 'sequencing-agent'].map((agent) => [taskOf(agent).taskId, taskFact(taskOf(agent))]),
  ),
  profiles: new Map<string, { version: number; data: never }>([
    [
      'ad-account:ads-emea',
      {
        version: 2,
        data: {
          kind: 'ad-account',
          version: 2,
          changedAt: at,
          adAccountId: 'ads-emea',
          currency: 'EUR',
          campaigns: {
            'cmp-from': { campaignId: 'cmp-from', status: 'active', dailyBudgetMinor: 40_000, days: [] },
            'cmp-to': { campaignId: 'cmp-to', status: 'active', dailyBudgetMinor: 40_000, bidMinor: 110, days: [] },
          },
          lastSignalAt: at,
        } as never,
      },
    ],
    [
      `contact:${contact}`,
      {
        version: 1,
        data: { kind: 'contact', contactId: contact, accountId: 'acme', seniority: 'manager' } as never,
      },
    ],
    [
      'account:acme',
      {
        version: 1,
        data: { kind: 'account', accountId: 'acme', name: 'Acme', deals: [], signals: 1, provenance } as never,
      },
    ],
  ]),
  consents: new Map([[contact, { version: 4, data: { ...granted(), contactId: contact, changedAt: at } }]]),
  controls: new Map(),
  ledgers: new Map<string, MoneyLedger | Counts | Slots>([
    ...['paid-media-agent', 'sequencing-agent'].flatMap((agent) =>
      ['', ':ads-emea', ':acme'].map((suffix): [string, Slots] => [`actions:${agent}${suffix}`, { slots: [] }]),
    ),
    [adAccountLedger, { held: 0, committed: 0, currency: null }],
    [campaignLedger, { held: 0, committed: 0, currency: null }],
    ['sends:paid-media-agent', { held: [], committed: [] }],
    [`touch:${contact}`, { held: [], committed: [] }],
  ]),
  touched: new Set(),
  proposals: new Map(),
  enrolments: new Map(),
  steps: new Map(),
  decided: new Map(),
  waiting: new Map(),
  ...change,
});
const shift = (amountMinor: number, n: number) => ({
  proposal: proposed('ads.shift_budget', { amountMinor }, n),
  author: 'paid-media-agent',
  takenAt: at,
});

test('an action is read once on its way to a verdict: for what is counted, loaded, locked, judged, stored and shown', () => {
  const schema = kindSpec('ads.shift_budget')?.payload;
  if (!schema) throw new Error('the catalogue has no such kind');
  const reading = vi.spyOn(schema, 'safeParse');
  onTestFinished(() => reading.mockRestore());
  const request = shift(1_000, 1);
  const suggested = policyOf(content({ charter: { kinds: { 'ads.shift_budget': 'suggest' } } }));
  const prepared = prepare([{ ...request, read: readAction(request.proposal.action) }], suggested, at);
  needs(prepared, at);
  const [result] = judgeAll(prepared, loaded(), at);
  if (!result) throw new Error('nothing was judged');
  expect(escalatedEvent(request, result, loaded()).card.reversible).toContain('taken back');
  expect(reading).toHaveBeenCalledTimes(1);
});

test('a proposal is as long as its RFC 8785 form, whatever it says and in whatever order', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }), (rationale, value) => {
      // As it comes: parsed from JSON.
      const odd = JSON.parse(JSON.stringify({ rationale, madeFrom: { '\u20ac': 2, '\n': 1 }, value }));
      const proposal = { ...odd, ...proposed('ads.shift_budget', { amountMinor: 1000, ...odd }), rationale };
      const [result] = decideVerdicts([{ proposal, author: 'paid-media-agent', takenAt: at }], loaded(), at);
      expect(result?.facts.proposalBytes).toBe(Buffer.byteLength(canonical(proposal)));
    }),
  );
});

test.each(['__proto__', 'constructor', 'toString'])(
  'an ad account called %s is judged by its own facts',
  (adAccountId) => {
    const request = {
      proposal: proposed('ads.set_bid', { adAccountId, campaignId: adAccountId, currency: 'EUR', bidMinor: 100 }, 1),
      author: 'paid-media-agent',
      takenAt: at,
    };
    const facts = (given: LoadedUnder) => decideVerdicts([request], given, at)[0]?.facts.adAccounts;
    expect(Object.entries(facts(loaded()) ?? {})).toEqual([[adAccountId, null]]);
    const data = { kind: 'ad-account', adAccountId, currency: 'EUR', campaigns: {}, lastSignalAt: at } as never;
    const known = new Map([...loaded().profiles, [`ad-account:${adAccountId}`, { version: 3, data }]]);
    expect(Object.entries(facts(loaded({ profiles: known })) ?? {})).toMatchObject([[adAccountId, { version: 3 }]]);
  },
);

test('what an action does is judged by the profiles of its campaigns, and by the ad account where it alone knows one, whatever others there are', () => {
  const own = { kind: 'campaign', adAccountId: 'ads-emea', currency: 'EUR', status: 'active', days: [], version: 5 };
  const campaigns = ['cmp-from', 'cmp-other'].map((campaignId): [string, { version: number; data: never }] => [
    `campaign:ads-emea ${campaignId}`,
    { version: 5, data: { ...own, campaignId, dailyBudgetMinor: 4_000 } as never },
  ]);
  const needed = neededBy([shift(1_000, 1)], policy, at).profiles;
  expect(needed.filter((key) => !key.startsWith('account:'))).toEqual([
    'ad-account:ads-emea',
    'campaign:ads-emea cmp-from',
    'campaign:ads-emea cmp-to',
  ]);
  const [result] = decideVerdicts(
    [shift(1_000, 1)],
    loaded({ profiles: new Map([...loaded().profiles, ...campaigns]) }),
    at,
  );
  expect(result?.facts.adAccounts['ads-emea']?.campaigns).toEqual({
    'cmp-from': { version: 5, dailyBudgetMinor: 4_000 },
    'cmp-to': { dailyBudgetMinor: 40_000, bidMinor: 110 },
  });
});

test('[case 19] each request sees what those before it reserved, and the cap is never passed', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 40 }), (amounts) => {
      const results = decideVerdicts(
        amounts.map((amount, n) => shift(amount, n)),
        loaded(),
        at,
      );
      let held = 0;
      results.forEach(({ judgement, facts }, n) => {
        expect(facts.ledgers[campaignLedger]).toMatchObject({ held });
        const fits = held + (amounts[n] ?? 0) <= 50_000;
        expect(judgement.verdict.outcome).toBe(fits ? 'approved' : 'refused');
        if (fits) held += amounts[n] ?? 0;
      });
      expect(held).toBeLessThanOrEqual(50_000);
    }),
  );
});

test('[case 19] of fifty over two agents, in a thousand orders, the first seven fit and no other, each told what was missing', {
  timeout: 60_000,
}, () => {
  const tight = loaded({ policy: policyOf(content({ charter: { limits: { adAccountSpendPerDayMinor: 7_000 } } })) });
  const fifty = Array.from({ length: 50 }, (_, n) => {
    const agent = n % 2 === 0 ? 'paid-media-agent' : 'sequencing-agent';
    return { proposal: proposed('ads.shift_budget', { amountMinor: 1_000 }, n, { agent }), author: agent, takenAt: at };
  });
  const detail =
    'spend-cap-ad-account: EUR 10.00 over the daily cap of EUR 70.00 of ad account ads-emea: EUR 70.00 held or spent today, EUR 10.00 asked for';
  fc.assert(
    // After the tenth nothing changes any more: a refusal reserves nothing.
    fc.property(fc.shuffledSubarray(fifty, { minLength: 10, maxLength: 10 }), (order) => {
      const results = decideVerdicts(order, tight, at);
      const held = results.map(({ facts }) => (facts.ledgers[adAccountLedger] as { held: number }).held);
      expect(held).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7, 7].map((n) => n * 1_000));
      const reasons = results.flatMap(({ judgement: { verdict } }) =>
        verdict.outcome === 'refused' ? verdict.reasons.filter((r) => r.outcome === 'refuse') : [],
      );
      expect([reasons.length, ...new Set(reasons.map((r) => `${r.rule}: ${r.detail}`))]).toEqual([3, detail]);
    }),
    { numRuns: 1_000 },
  );
});

test('[case 22] one slot left for a contact goes to one of two agents', () => {
  const email = (agent: string, n: number) => ({
    proposal: proposed('email.send', {}, n, { agent }),
    author: agent,
    takenAt: at,
  });
  const ledgers = new Map(loaded().ledgers).set('sends:sequencing-agent', { held: [], committed: [] });
  ledgers.set(`touch:${contact}`, { held: [Date.parse('2026-11-20T10:00:00.000Z')], committed: [] });
  const outcomes = decideVerdicts(
    [email('paid-media-agent', 1), email('sequencing-agent', 2)],
    loaded({ ledgers }),
    at,
  ).map(({ judgement }) => judgement.verdict.outcome);
  expect(outcomes).toEqual(['approved', 'refused']);
});

test('to whom a message goes is known by the profile: of another account than the one named, it is refused', () => {
  const profiles = new Map(loaded().profiles);
  profiles.set(`contact:${contact}`, {
    version: 1,
    data: { kind: 'contact', contactId: contact, accountId: 'globex', seniority: 'manager' } as never,
  });
  const [result] = decideVerdicts(
    [{ proposal: proposed('email.send'), author: 'paid-media-agent', takenAt: at }],
    loaded({ profiles }),
    at,
  );
  expect(result?.judgement.verdict.reasons).toContainEqual(
    expect.objectContaining({ rule: 'account', outcome: 'refuse' }),
  );
});

test('each proposal is counted under its task, whatever becomes of it, after those that are noted and before those that come after it', () => {
  const few = policyOf(content({ charter: { limits: { proposalsPerTask: 3, campaignSpendPerDayMinor: 5_000 } } }));
  const name = `paid-media-agent ${taskOf('paid-media-agent').taskId} `;
  const five = [1_000, 9_000, 1_000, 1_000].map(shift);
  const { proposal, author } = shift(1_000, 9);
  const review = { reviewId: contact, by: 'lea', decision: 'approve', digest: digestOf(proposal.action), at } as const;
  const answered = { proposal, author, review: { ...review, category: 'other' as const } };
  // Noted are the four and one before them.
  const results = decideVerdicts([...five, answered], loaded({ policy: few, proposals: new Map([[name, 5]]) }), at);
  expect(results.map(({ facts }) => facts.counted?.proposals)).toEqual([1, 2, 3, 4, undefined]);
  // Why a person rejects is not a fact: the audit compares the facts with the answer.
  expect(results.at(-1)?.facts.review).toEqual(review);
  expect(results.map(({ judgement }) => judgement.verdict.outcome)).toEqual([
    'approved',
    'refused',
    'refused',
    'refused',
    'approved',
  ]);
  expect(
    results.map(({ judgement }) => judgement.verdict.reasons.find((r) => r.rule === 'proposals-per-task')?.outcome),
  ).toEqual(['pass', 'pass', 'refuse', 'refuse', 'pass']);
  expect(neededBy([...five, answered], few, at)).toMatchObject({
    tallies: [{ name, enrolment: '' }],
    authors: ['paid-media-agent'],
  });
});

test('an enrolment is counted as one however its id is written, and apart from the task', () => {
  const step = (enrolment: string, n: number) =>
    proposed('email.send', { sequence: { id: 'comparison-follow-up', enrolment, step: 0 } }, n);
  const names = [step(contact, 1), step(contact.toUpperCase(), 2), proposed('email.send', {}, 3)].map((proposal) => ({
    proposal,
    author: 'paid-media-agent',
    takenAt: at,
  }));
  expect(neededBy(names, policy, at).tallies.map(({ enrolment }) => enrolment)).toEqual([contact, '']);
});

test('a step is approved or waits once among those that are judged together, however its enrolment is written; what was refused leaves it free', () => {
  const step = (n: number, enrolment = contact, place = 0) => ({
    proposal: proposed(
      'email.send',
      {
        ...{ template: 'follow-up', subject: 'Hello', body: 'A word.' },
        sequence: { id: 'comparison-follow-up', enrolment, step: place },
      },
      n,
    ),
    author: 'paid-media-agent',
    takenAt: at,
  });
  const name = `paid-media-agent ${contact} 0`;
  const enrolled = { contactId: contact, sequenceId: 'comparison-follow-up' };
  const tally = `paid-media-agent ${taskOf('paid-media-agent').taskId} ${contact}`;
  const suggested = policyOf(content({ charter: { kinds: { 'email.send': 'suggest' } } }));
  const outcomes = (
    change: Partial<LoadedUnder> = {},
    cases: Parameters<typeof decideVerdicts>[0] = [step(1), step(2), step(3, contact.toUpperCase())],
  ) =>
    decideVerdicts(cases, loaded({ enrolments: new Map([[tally, enrolled]]), ...change }), at).map(
      ({ judgement, facts }) => `${judgement.verdict.outcome} ${facts.sameStep}`,
    );
  expect(outcomes()).toEqual(['approved 0', 'refused 1', 'refused 1']);
  expect(outcomes({ policy: suggested })).toEqual(['escalated 0', 'refused 1', 'refused 1']);
  expect(outcomes({}, [step(1, contact, 1), step(2)])).toEqual(['refused 0', 'approved 0']);
  expect(outcomes({ steps: new Map([[name, { approved: 0, waiting: 1 }]]) }, [step(1)])).toEqual(['refused 1']);
  expect(outcomes({ steps: new Map([[name, { approved: 1, waiting: 1 }]]) }, [step(1)])).toEqual(['refused 2']);
  expect(outcomes({}, [shift(1_000, 1)])).toEqual(['approved undefined']);
  // The one that is answered is among those that wait, and the answers to two of one step approve one.
  const answered = [step(1), step(2)].map(({ proposal, author }) => {
    const digest = digestOf(proposal.action);
    return { proposal, author, review: { reviewId: contact, by: 'lea', decision: 'approve' as const, digest, at } };
  });
  expect(outcomes({ policy: suggested, steps: new Map([[name, { approved: 0, waiting: 2 }]]) }, answered)).toEqual([
    'approved 0',
    'refused 1',
  ]);
  expect(neededBy([step(1), step(2, contact.toUpperCase()), ...answered, shift(1, 1)], policy, at).steps).toEqual([
    { name, author: 'paid-media-agent', enrolment: contact, n: 0 },
  ]);
});

test('a contact is enrolled in a sequence once under a task among those that are judged together, and its key is that of no step', () => {
  const enroll = (n: number, payload: Record<string, unknown> = {}, taskId = taskOf('paid-media-agent').taskId) => ({
    proposal: proposed('sequence.enroll', payload, n, { taskId }),
    author: 'paid-media-agent',
    takenAt: at,
  });
  const { taskId } = taskOf('paid-media-agent');
  const enrolment = `${taskId} ${contact} comparison-follow-up`;
  const name = `paid-media-agent ${enrolment} 0`;
  const outcomes = (change: Partial<LoadedUnder> = {}) =>
    decideVerdicts([enroll(1), enroll(2)], loaded(change), at).map(
      ({ judgement, facts }) => `${judgement.verdict.outcome} ${facts.sameStep}`,
    );
  expect(outcomes()).toEqual(['approved 0', 'refused 1']);
  expect(outcomes({ steps: new Map([[name, { approved: 0, waiting: 1 }]]) })).toEqual(['refused 1', 'refused 1']);
  const needed = neededBy([enroll(1), enroll(2)], policy, at);
  expect(needed.steps).toEqual([{ name, author: 'paid-media-agent', enrolment, n: 0 }]);
  // It is no message of an enrolment: it counts among the proposals of its task.
  expect(needed.tallies.map((tally) => tally.enrolment)).toEqual(['']);
  const second = derivedId('task', 'two');
  const keys = [
    enroll(1),
    enroll(1, {}, second),
    enroll(1, { sequenceId: 'nurture' }),
    enroll(1, { contactId: second }),
  ];
  expect(new Set(keys.map(({ proposal }) => stepOf(proposal)?.enrolment)).size).toBe(4);
  // What stops a sequence is not counted. It is stored as what ends the enrolments of its contact and sequence, whatever their task.
  const stop = proposed('sequence.stop');
  expect(stepOf(stop)).toBeUndefined();
  expect(markOf(stop)).toEqual({ enrolment: `stop${enrolment.slice(taskId.length)}`, n: 0 });
  expect(markOf(enroll(1).proposal)).toEqual({ enrolment, n: 0 });
});

test('the enrolment of one agent and task is none of another, whatever its id was noted under', () => {
  const enroll = proposed('sequence.enroll', {}, 1);
  const own = { author: enroll.agent, taskId: enroll.taskId };
  expect(enrolmentBy(enroll, own)).toEqual({ contactId: contact, sequenceId: 'comparison-follow-up' });
  expect(enrolmentBy(enroll, { ...own, author: 'sequencing-agent' })).toBeUndefined();
  expect(enrolmentBy(enroll, { ...own, taskId: taskOf('sequencing-agent').taskId })).toBeUndefined();
});

test('of many at once no more wait for a person than may, and what needs nobody is approved among them', () => {
  const asked = policyOf(
    content({ charter: { kinds: { 'ads.shift_budget': 'suggest' }, limits: { reviewsWaiting: 9 } } }),
  );
  const email = { proposal: proposed('email.send'), author: 'paid-media-agent', takenAt: at };
  const results = decideVerdicts(
    [shift(1, 1), shift(1, 2), shift(1, 3), email],
    loaded({ policy: asked, waiting: new Map([['paid-media-agent', 7]]) }),
    at,
  );
  expect(results.map(({ judgement }) => judgement.verdict.outcome)).toEqual([
    'escalated',
    'escalated',
    'refused',
    'approved',
  ]);
});

test('[case 20] a refusal reserves nothing', () => {
  const results = decideVerdicts([shift(50_001, 1), shift(10_000, 2)], loaded(), at);
  expect(results.map((r) => r.judgement.verdict.outcome)).toEqual(['refused', 'approved']);
});

test('[case 58] facts and proposal, stored as JSON, give the same judgement again', () => {
  for (const { judgement, facts } of decideVerdicts([shift(3000, 1), shift(50_000, 2)], loaded(), at)) {
    const { proposal } = judgement.verdict.outcome === 'approved' ? shift(3000, 1) : shift(50_000, 2);
    const stored = JSON.parse(JSON.stringify({ facts, proposal, policy }));
    expect(judge(stored.proposal, stored.facts, stored.policy, at)).toEqual(judgement);
  }
});

test('what is needed is named once and in order', () => {
  const needed = neededBy(
    [shift(1, 1), shift(2, 2), { proposal: proposed('email.send', {}, 3), author: 'paid-media-agent', takenAt: at }],
    policy,
    at,
  );
  expect(needed.ledgers.map((l) => l.ledger)).toEqual(
    [adAccountLedger, campaignLedger, 'sends:paid-media-agent', `touch:${contact}`].sort(),
  );
  expect(needed.ledgers.find((l) => l.ledger.startsWith('touch'))?.since).toBe('2026-11-14T10:00:00.000Z');
  expect(needed.consents).toEqual([contact]);
  expect(needed.profiles).toEqual([
    'account:acme',
    'ad-account:ads-emea',
    'campaign:ads-emea cmp-from',
    'campaign:ads-emea cmp-to',
    `contact:${contact}`,
  ]);
});

test('names in madeFrom that stand for no state are never asked for', () => {
  expect(stateNamed('profile:contact:x')).toEqual({ topic: topics.profiles, key: 'contact:x' });
  expect(stateNamed('consent:x')).toEqual({ topic: topics.consents, key: 'x' });
  for (const name of ['', 'x', 'control:all', 'profile:', 'profile:\0', `profile:${'x'.repeat(501)}`]) {
    expect(stateNamed(name)).toBeUndefined();
  }
  const proposal = proposed('ads.set_bid', {}, 1, { madeFrom: { 'control:all': 1 } });
  const [result] = decideVerdicts([{ proposal, author: 'paid-media-agent', takenAt: at }], loaded(), at);
  expect(result?.judgement.verdict.outcome).toBe('escalated');
});

test('[case 36] the card shows facts: account, people, money, running totals and whether it can be taken back', () => {
  const suggested: PolicyContent = {
    ...policy.content,
    charters: policy.content.charters.map((c) => ({ ...c, kinds: { 'ads.shift_budget': 'suggest' as const } })),
  };
  const given = loaded({ policy: policyOf(suggested) });
  const asked = shift(3000, 1);
  const alternatives = [{ detail: 'pause cmp-from', rejectedBecause: 'it still returns something' }];
  const request = { ...asked, proposal: { ...asked.proposal, alternatives } };
  const [result] = decideVerdicts([request], given, at);
  if (!result) throw new Error('no result');
  expect(escalatedEvent(request, result, given)).toMatchObject({
    card: {
      detail: 'move EUR 30.00 of daily budget from cmp-from to cmp-to',
      accountName: 'Acme',
      money: { amountMinor: 3000, currency: 'EUR' },
      runningTotals: [
        { ledger: 'actions:paid-media-agent', held: 0, committed: 0, cap: 500 },
        { ledger: 'actions:paid-media-agent:acme', held: 0, committed: 0, cap: 100 },
        { ledger: 'actions:paid-media-agent:ads-emea', held: 0, committed: 0, cap: 100 },
        { ledger: adAccountLedger, held: 0, committed: 0, cap: 80_000, currency: 'EUR' },
        { ledger: campaignLedger, held: 0, committed: 0, cap: 50_000, currency: 'EUR' },
      ],
      campaigns: [
        { campaignId: 'cmp-from', dailyBudgetMinor: 40_000, currency: 'EUR' },
        { campaignId: 'cmp-to', dailyBudgetMinor: 40_000, currency: 'EUR' },
      ],
      reversible: 'can be taken back by ads.shift_budget within 72 hours',
    },
    rationale: 'The return is below its floor.',
    alternatives,
  });
});

test('[case 36] the card shows whom a message is for as a reviewer recognises them, and leaves out what is not known', () => {
  const charters = policy.content.charters.map((c) => ({ ...c, kinds: { 'email.send': 'suggest' as const } }));
  const given = loaded({ policy: policyOf({ ...policy.content, charters }) });
  const cardOf = (profile: object) => {
    const profiles = new Map(given.profiles);
    profiles.set(`contact:${contact}`, {
      version: 1,
      data: { contactId: contact, kind: 'contact', ...profile } as never,
    });
    const request = { proposal: proposed('email.send'), author: 'paid-media-agent', takenAt: at };
    const [result] = decideVerdicts([request], { ...given, profiles }, at);
    if (!result) throw new Error('no result');
    return escalatedEvent(request, result, { ...given, profiles }).card;
  };
  expect(cardOf({ accountId: 'acme', seniority: 'vp', jobFunction: 'finance' }).people).toEqual([
    { contactId: contact, seniority: 'vp', jobFunction: 'finance', accountName: 'Acme' },
  ]);
  expect(cardOf({ accountId: 'acme', seniority: 'unknown' }).people).toEqual([
    { contactId: contact, seniority: 'unknown', accountName: 'Acme' },
  ]);
});
