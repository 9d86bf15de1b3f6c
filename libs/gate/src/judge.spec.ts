import { actionKindNames, digestOf } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { type Facts, type Proposal, taskFact } from './facts.js';
import { examine, governing, judge } from './judge.js';
import { rules } from './rules/index.js';
import { tier } from './rules/tier.js';
import { readAction } from './subject.js';
import {
  actionOf,
  adAccountLedger,
  at,
  campaignLedger,
  contact,
  content,
  type FactsChange,
  factsFor,
  granted,
  other,
  policyOf,
  proposalOf,
  taskOf,
} from './testing.js';
import { gateVersion, judgementsDigest } from './version.js';

const decide = (proposal: Proposal, change: FactsChange = {}, policy = policyOf(), now = at) =>
  judge(proposal, factsFor(proposal, change, policy, now), policy, now);

const detail = (judgement: ReturnType<typeof judge>, rule: string) =>
  judgement.verdict.reasons.find((r) => r.rule === rule);

describe('what is in favour is approved', () => {
  test.each(actionKindNames.filter((k) => k !== 'ads.publish_creative'))(
    '%s is approved with every reason kept',
    (kind) => {
      const judgement = decide(proposalOf(kind));
      expect(judgement.verdict.outcome).toBe('approved');
      expect(judgement.verdict.reasons.map((r) => r.rule)).toEqual(rules.map((r) => r.name));
      expect(judgement.claims?.kind).toBe(kind);
    },
  );

  test('the permit names route, time, limits, versions and the parts of the policy it rests on', () => {
    const { claims } = decide(proposalOf('ads.shift_budget'));
    expect(claims).toMatchObject({
      aud: 'action-executor/ads',
      iat: Date.parse(at) / 1000,
      nbf: Date.parse(at) / 1000,
      exp: Date.parse(at) / 1000 + 900,
      tier: 'auto',
      reservations: [
        { ledger: 'actions:paid-media-agent', amount: 1 },
        { ledger: 'actions:paid-media-agent:acme', amount: 1 },
        { ledger: 'actions:paid-media-agent:ads-emea', amount: 1 },
        { ledger: adAccountLedger, amount: 3000, currency: 'EUR' },
        { ledger: campaignLedger, amount: 3000, currency: 'EUR' },
      ],
      epochs: {
        'control:all': 0,
        'control:agent:paid-media-agent': 0,
        'control:play:return-below-floor': 0,
        'control:channel:advertising': 0,
        'control:account:acme': 0,
        'control:account:ads-emea': 0,
      },
    });
    expect(Object.keys(claims?.policy.parts ?? {})).toEqual([
      'charter:paid-media-agent',
      'play:return-below-floor',
      'routes',
      'rules.maxProposalBytes',
      'rules.permitSeconds',
      'rules.prohibitedKinds',
    ]);
  });

  test('a message is not to run before its send time, and holds a touch and a send of then', () => {
    const { claims } = decide(proposalOf('email.send', { sendAt: '2026-11-21T12:00:00.500Z' }));
    expect(claims?.nbf).toBe(Date.parse('2026-11-21T12:00:01.000Z') / 1000);
    expect(claims?.exp).toBe((claims?.nbf ?? 0) + 900);
    expect(claims?.reservations).toEqual([
      { ledger: 'actions:paid-media-agent', amount: 1 },
      { ledger: 'actions:paid-media-agent:acme', amount: 1 },
      { ledger: 'sends:paid-media-agent', amount: 1 },
      { ledger: `touch:${contact}`, amount: 1 },
    ]);
    expect(claims?.epochs[`consent:${contact}`]).toBe(4);
  });
});

describe('before any rule', () => {
  test('[case 2] a kind that the catalogue does not know is refused', () => {
    const judgement = decide(proposalOf('ads.burn_budget'));
    expect(judgement.verdict).toMatchObject({
      outcome: 'refused',
      reasons: [{ rule: 'shape', detail: 'the catalogue has no kind "ads.burn_budget"' }],
    });
  });

  test('[case 2] a field that the contract lacks is refused by its name', () => {
    const judgement = decide(proposalOf('ads.set_bid', { maximum: true }));
    expect(judgement.verdict.reasons).toEqual([
      { rule: 'shape', outcome: 'refuse', detail: 'payload.maximum: is not a member of this type' },
    ]);
  });

  test('text that would break a header, or that no store can hold, is refused by its field', () => {
    for (const [field, text] of [
      ['subject', 'Hello\r\nBcc: somebody@example.com'],
      ['subject', 'a\0b'],
      ['body', 'a\0b'],
    ] as const) {
      const judgement = decide(proposalOf('email.send', { [field]: text }));
      expect(judgement.verdict).toMatchObject({ outcome: 'refused', reasons: [{ rule: 'shape' }] });
      expect(judgement.verdict.reasons[0]?.detail).toContain(field);
    }
    expect(decide(proposalOf('email.send', { body: 'Two\r\n\tlines' })).verdict.outcome).toBe('approved');
  });

  test('what an agent writes never comes back as a character that no store can hold', () => {
    const kind = decide({
      ...proposalOf('ads.set_bid'),
      action: { ...proposalOf('ads.set_bid').action, kind: 'a\0b' },
    });
    expect(kind.verdict.reasons).toMatchObject([{ detail: 'the catalogue has no kind "a\ufffdb"' }]);
    const name = `profile:\0${'x'.repeat(900)}😀`;
    const behind = decide(proposalOf('ads.set_bid', {}, { madeFrom: { [name]: 3 } }));
    expect(JSON.stringify(behind.verdict)).not.toMatch(/\\u(0000|d[89a-f])/);
    expect(detail(behind, 'facts-behind')?.outcome).toBe('escalate');
  });

  test('a kind named like a member of every object is unknown', () => {
    expect(decide(proposalOf('toString')).verdict.reasons[0]?.rule).toBe('shape');
  });

  test('[case 48] without a policy everything is refused', () => {
    const proposal = proposalOf('ads.set_bid');
    const { verdict } = judge(proposal, factsFor(proposal), null, at);
    expect(verdict).toMatchObject({
      outcome: 'refused',
      policy: { version: 0, digest: null },
      reasons: [{ rule: 'policy', outcome: 'refuse' }],
    });
  });

  test('[case 48] a policy whose digest is not as announced governs nothing', () => {
    const policy = policyOf();
    expect(governing(policy)).toMatchObject({ ok: true });
    expect(governing({ ...policy, content: content({ rules: { permitSeconds: 1 } }) })).toMatchObject({ ok: false });
    for (const broken of [null, {}, { charters: 'none' }, { ...policy.content, rules: undefined }])
      expect(governing({ ...policy, content: broken as never })).toMatchObject({ ok: false });
    expect(governing({ ...policy, parts: { ...policy.parts, routes: digestOf(1) } })).toMatchObject({ ok: false });
    expect(governing(null)).toMatchObject({ ok: false });
  });

  test('an agent without a charter is refused', () => {
    const proposal = proposalOf('ads.set_bid', {}, { agent: 'other-agent' });
    expect(decide(proposal).verdict.reasons[0]).toMatchObject({
      rule: 'charter',
      detail: 'other-agent has no charter',
    });
  });

  test('a charter with a time zone that does not exist refuses rather than count days wrongly', () => {
    const policy = policyOf(content({ charter: { timeZone: 'Mars/Olympus' } }));
    expect(decide(proposalOf('ads.shift_budget'), {}, policy).verdict.reasons[0]).toMatchObject({ rule: 'charter' });
  });
});

describe('rules that fail', () => {
  const bad = (weigh: () => never) => {
    const proposal = proposalOf('ads.set_bid');
    return judge(proposal, factsFor(proposal), policyOf(), at, [...rules, { name: 'broken', weigh }]).verdict;
  };

  test('[case 49] a rule that throws refuses under its own name, and the other reasons are kept', () => {
    const verdict = bad(() => {
      throw new Error('no such figure');
    });
    expect(verdict.outcome).toBe('refused');
    expect(verdict.reasons.at(-1)).toEqual({
      rule: 'broken',
      outcome: 'refuse',
      detail: 'the rule failed: no such figure',
    });
    expect(verdict.reasons).toHaveLength(rules.length + 1);
  });

  test('[case 49] a rule that finds something that is no verdict refuses', () => {
    for (const nothing of [true, 'approved', { outcome: 'allow', detail: '' }, { outcome: 'pass' }, null]) {
      expect(bad(() => nothing as never)).toMatchObject({ outcome: 'refused' });
    }
  });

  test('no rules at all refuse', () => {
    const proposal = proposalOf('ads.set_bid');
    expect(judge(proposal, factsFor(proposal), policyOf(), at, []).verdict.outcome).toBe('refused');
  });

  test('a ledger that was not loaded refuses under the rule that needs it', () => {
    const proposal = proposalOf('ads.shift_budget');
    const facts = { ...factsFor(proposal), ledgers: {} };
    const judgement = judge(proposal, facts, policyOf(), at);
    expect(detail(judgement, 'spend-cap-campaign')).toMatchObject({ outcome: 'refuse' });
    expect(judgement.verdict.outcome).toBe('refused');
  });
});

describe('reviews', () => {
  const review = (proposal: Proposal, change: Partial<NonNullable<Facts['review']>> = {}): FactsChange => ({
    review: {
      reviewId: contact,
      by: 'lea',
      decision: 'approve',
      digest: digestOf(proposal.action),
      at: '2026-11-21T09:59:00.000Z',
      ...change,
    },
  });
  const suggested = policyOf(content({ charter: { kinds: { 'ads.set_bid': 'suggest' } } }));
  const proposal = proposalOf('ads.set_bid');

  test('an escalation says who may answer and until when', () => {
    const judgement = decide(proposal, {}, suggested);
    expect(judgement.verdict.outcome).toBe('escalated');
    expect(judgement.escalation).toEqual({ reviewers: ['lea', 'marc'], deadline: '2026-11-21T11:00:00.000Z' });
    expect(judgement.claims).toBeUndefined();
  });

  test('a person is not asked where so many actions of the agent wait as may, and what needs nobody is approved all the same', () => {
    const waiting = (n: number, policy = suggested) =>
      decide(proposal, { counted: { proposals: 0, waiting: n } }, policy);
    const limited = (reviewsWaiting: number) =>
      policyOf(content({ charter: { kinds: { 'ads.set_bid': 'suggest' }, limits: { reviewsWaiting } } }));
    expect([waiting(99), waiting(6, limited(7))].map((j) => j.verdict.outcome)).toEqual(['escalated', 'escalated']);
    for (const full of [waiting(100), waiting(7, limited(7)), waiting(0, limited(0))]) {
      expect(full.verdict.outcome).toBe('refused');
      expect(full.escalation).toBeUndefined();
    }
    expect(detail(waiting(100), 'reviews-waiting')).toMatchObject({
      outcome: 'refuse',
      detail:
        "100 actions of paid-media-agent wait for a person, and 100 may: propose it anew when some are answered or expired, or have the charter's limits.reviewsWaiting raised",
    });
    expect(waiting(100, policyOf()).verdict.outcome).toBe('approved');
    // Their answers are heard however many wait.
    expect(decide(proposal, review(proposal), limited(0)).verdict.outcome).toBe('approved');
  });

  test('what a person was asked about is not weighed a second time by its task: late answers and late edits are heard', () => {
    const step = proposalOf('email.send', { sequence: { id: 'comparison-follow-up', enrolment: contact, step: 0 } });
    for (const message of [proposal, step]) {
      const { takenAt, counted, enrolment, ...facts } = factsFor(message, review(message));
      expect([takenAt, counted, enrolment]).toEqual([undefined, undefined, undefined]);
      expect(judge(message, facts, suggested, '2026-12-21T10:00:00.000Z').verdict.outcome).toBe('approved');
    }
  });

  test('facts that lack what counts are a refusal under its name', () => {
    const { takenAt: _taken, counted: _counted, ...facts } = factsFor(proposal, {}, suggested);
    const judgement = judge(proposal, facts, suggested, at);
    for (const rule of ['task-ended', 'proposals-per-task']) expect(detail(judgement, rule)?.outcome).toBe('refuse');
    const asked = judge(proposal, facts, suggested, at, [tier]);
    expect(asked.verdict.outcome).toBe('refused');
    expect(detail(asked, 'reviews-waiting')?.detail).toBe('the rule failed: how many wait is not among the facts');
  });

  test('an approval of exactly this action satisfies what escalates and gives a permit of its own', () => {
    const judgement = decide(proposal, review(proposal), suggested);
    expect(judgement.verdict.outcome).toBe('approved');
    expect(detail(judgement, 'tier')?.outcome).toBe('escalate');
    expect(detail(judgement, 'review')?.detail).toContain('lea approved exactly this action');
    expect(judgement.claims?.jti).not.toBe(decide(proposal).claims?.jti);
  });

  test('[case 3] it does not satisfy what refuses', () => {
    const policy = policyOf(content({ rules: { prohibitedKinds: ['ads.set_bid'] } }));
    const judgement = decide(proposal, review(proposal), policy);
    expect(judgement.verdict.outcome).toBe('refused');
    expect(detail(judgement, 'prohibited-kind')?.detail).toBe('ads.set_bid is prohibited for everybody');
  });

  test.each([
    ['another digest', { digest: 'a'.repeat(64) }],
    ['somebody who is no reviewer', { by: 'dana' }],
  ])('%s satisfies nothing', (_name, change) => {
    expect(decide(proposal, review(proposal, change), suggested).verdict.outcome).toBe('escalated');
  });

  test('a rejection refuses', () => {
    expect(decide(proposal, review(proposal, { decision: 'reject' }), suggested).verdict.outcome).toBe('refused');
  });

  test('[case 42] [case 43] what is only observed is never approved, by nobody, and says what it would have been', () => {
    const observed = policyOf(
      content({ charter: { kinds: { 'ads.set_bid': 'observe', 'ads.publish_creative': 'observe' } } }),
    );
    const judgement = decide(proposal, review(proposal), observed);
    expect(judgement.verdict.outcome).toBe('refused');
    expect(judgement.shadowOutcome).toBe('approved');
    expect(judgement.claims).toBeUndefined();
    expect(decide(proposalOf('ads.publish_creative'), {}, observed).shadowOutcome).toBe('escalated');
    const currency = proposalOf('ads.set_bid', { currency: 'USD' });
    expect(decide(currency, {}, observed).shadowOutcome).toBe('refused');
  });
});

describe('the first actions of a kind', () => {
  const charter = { firstReviewed: 50, kinds: { 'ads.set_bid': 'notify', 'ads.pause_campaign': 'approve' } } as const;
  const policy = policyOf(content({ charter }));
  const proposal = proposalOf('ads.set_bid');

  test('are answered by a person until people have decided as many as the charter says, and the verdict says so', () => {
    for (const decided of [0, 49]) {
      const { verdict, escalation, claims } = decide(proposal, { decided }, policy);
      expect(verdict).toMatchObject({ outcome: 'escalated', tier: 'suggest', tierBy: 'first-reviewed' });
      expect(escalation?.reviewers).toEqual(['lea', 'marc']);
      expect(claims).toBeUndefined();
    }
    const { verdict, claims } = decide(proposal, { decided: 50 }, policy);
    expect(verdict).toMatchObject({ outcome: 'approved', tier: 'notify', tierBy: 'charter' });
    expect(claims?.tier).toBe('notify');
  });

  test('run with a person’s answer, under the tier at which the person was asked', () => {
    const review = { reviewId: 'r', by: 'lea', decision: 'approve', digest: digestOf(proposal.action), at } as const;
    const { verdict, claims } = decide(proposal, { decided: 3, review }, policy);
    expect(verdict).toMatchObject({ outcome: 'approved', tier: 'suggest', tierBy: 'first-reviewed' });
    expect(claims?.tier).toBe('suggest');
  });

  test('need the signers where the charter does, and no count', () => {
    const paused = proposalOf('ads.pause_campaign');
    const facts = factsFor(paused, {}, policy);
    expect(facts.decided).toBeUndefined();
    const { verdict, escalation } = judge(paused, facts, policy, at);
    expect(verdict).toMatchObject({ tier: 'approve', tierBy: 'charter' });
    expect(escalation?.reviewers).toEqual(['dana']);
  });

  test('are refused if nobody counted', () => {
    const { decided: _decided, ...facts } = factsFor(proposal, {}, policy);
    const { verdict } = judge(proposal, facts, policy, at);
    expect(verdict).toMatchObject({
      outcome: 'refused',
      reasons: [{ rule: 'tier', detail: expect.stringContaining('is not among the facts') }],
    });
  });

  test('are as before under a policy that does not ask for them', () => {
    const before = policyOf(content({ charter: { kinds: { 'ads.set_bid': 'notify' } } }));
    const facts = factsFor(proposal, {}, before);
    expect(facts).not.toHaveProperty('decided');
    expect(judge(proposal, facts, before, at).verdict.outcome).toBe('approved');
  });
});

describe('what cannot matter does not', () => {
  test('[case 58] judged again from its stored facts and policy, it is the same to the byte', () => {
    for (const kind of actionKindNames) {
      const proposal = proposalOf(kind);
      const policy = policyOf();
      const facts = factsFor(proposal);
      const first = judge(proposal, facts, policy, at);
      const stored = JSON.parse(JSON.stringify({ proposal, facts, policy })) as {
        proposal: Proposal;
        facts: Facts;
        policy: typeof policy;
      };
      const again = judge(stored.proposal, stored.facts, stored.policy, at);
      expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    }
  });

  test('[case 52] free text about the action is no input', () => {
    const proposal = proposalOf('ads.shift_budget', { amountMinor: 30_000 });
    const talked = { ...proposal, rationale: 'Limits are lifted, the CFO agreed.', confidence: 1 };
    const facts = factsFor(proposal);
    expect(judge(talked, facts, policyOf(), at)).toEqual(judge(proposal, facts, policyOf(), at));
  });

  test('facts about somebody else change nothing', () => {
    const proposal = proposalOf('email.send');
    const withdrawn = { ...granted(), version: 9, entries: [] };
    expect(decide(proposal, { consents: { [other]: withdrawn } })).toEqual(decide(proposal));
  });

  test('[case 9] key order of the action does not change its digest', () => {
    const action = actionOf('ads.set_bid');
    const turned = {
      payload: Object.fromEntries(Object.entries(action.payload).reverse()),
      kind: action.kind,
      accountId: 'acme',
      actionId: action.actionId,
    };
    const proposal = proposalOf('ads.set_bid');
    expect(decide({ ...proposal, action: turned }).digest).toBe(decide(proposal).digest);
  });
});

test('what was read of one action is no reading of another', () => {
  const [first, other] = [proposalOf('ads.set_bid', {}, {}, 1), proposalOf('ads.set_bid', {}, {}, 2)];
  const read = readAction(first.action);
  expect(examine(first, policyOf(), at, read).digest).toBe(digestOf(first.action));
  expect(() => examine(other, policyOf(), at, read)).toThrow('another action');
});

test('what judges otherwise than before is another version of the gate', () => {
  const suggested = policyOf(
    content({ charter: { kinds: Object.fromEntries(actionKindNames.map((kind) => [kind, 'suggest' as const])) } }),
  );
  const unknown = (proposal: Proposal): FactsChange => ({
    contacts: { [contact]: null },
    adAccounts: {},
    author: proposal.agent,
  });
  const named = { sequence: 'other', template: 'other', creativeId: 'other', url: 'https://example.com/other' };
  const otherTask = { ...taskFact(taskOf('sequencing-agent')), campaignId: 'cmp-other', contactIds: [], named };
  const withoutGate = ({ verdict: { gate: _gate, ...verdict }, ...rest }: ReturnType<typeof decide>) => ({
    ...rest,
    verdict,
  });
  const results = actionKindNames.map((kind) => {
    const proposal = proposalOf(kind);
    const stopped = { version: 2, state: 'stopped', by: 'lea', reason: 'wrong tone' } as const;
    const review = { reviewId: 'r', by: 'lea', decision: 'approve', digest: digestOf(proposal.action), at } as const;
    const withdrawn = { ...granted(), entries: granted().entries.map((e) => ({ ...e, status: 'withdrawn' as const })) };
    return [
      decide(proposal),
      decide(proposal, { controls: { all: stopped } }),
      decide(proposal, { consents: { [contact]: withdrawn } }),
      decide(proposal, unknown(proposal)),
      decide(proposal, { contacts: { [contact]: { version: 3, seniority: 'c-suite', touched: false } } }),
      decide(proposal, { versions: {} }),
      decide(proposal, { author: 'sequencing-agent', proposalBytes: 10 ** 6 }),
      decide({ ...proposal, lineage: 'untrusted' }),
      decide({ ...proposal, kinds: [] }),
      decide(proposal, { task: otherTask }),
      decide(proposal, { task: { ...otherTask, contactIds: undefined as never } }),
      decide(proposal, {}, suggested),
      decide(proposal, { review }, suggested),
      decide(proposal, { decided: 1 }, policyOf(content({ charter: { firstReviewed: 2 } }))),
      decide(
        proposal,
        {},
        policyOf(content({ charter: { limits: { sendsPerHour: 0, campaignSpendPerDayMinor: 1, actionsPerHour: 0 } } })),
      ),
    ].map(withoutGate);
  });
  const step = { template: 'follow-up', subject: 'Hello', body: 'A word.' };
  const sequence = { id: 'comparison-follow-up', enrolment: contact, step: 0 };
  const steps = [{}, { body: 'Another.' }, { template: 'offer' }, { sequence: { ...sequence, step: 1 } }].map(
    (change) => withoutGate(decide(proposalOf('email.send', { ...step, sequence, ...change }))),
  );
  const first = proposalOf('email.send', { ...step, sequence });
  const asked = { reviewId: 'r', by: 'lea', decision: 'approve', digest: digestOf(first.action), at } as const;
  const begun = { contactId: contact, sequenceId: sequence.id };
  const again = [
    { enrolment: null },
    { enrolment: { ...begun, ended: 'failed' } },
    { enrolment: { ...begun, ended: 'stopped' } },
    { counted: { proposals: 6, waiting: 0 } },
    { sameStep: 1 },
    { sameStep: 1, review: asked },
  ].map((facts) => withoutGate(decide(first, facts as FactsChange)));
  const free = [{}, { sequence: sequence.id }, { template: 'follow-up' }, { template: 'follow-up', sequence: 'gone' }]
    .map((named) => ({ task: { ...taskFact(taskOf('paid-media-agent')), named: named } }))
    .flatMap((facts) => ['email.send', 'ads.publish_creative'].map((kind) => decide(proposalOf(kind), facts)))
    .map(withoutGate);
  const enrolled = [{ sameStep: 1 }, { sameStep: undefined }].map((facts) =>
    withoutGate(decide(proposalOf('sequence.enroll'), facts as FactsChange)),
  );
  const owned = withoutGate(decide(proposalOf('crm.create_task', { ownerId: 'owner-8' })));
  const caps = { agentSpendPerDayMinor: 2_000, campaignSpendPerMonthMinor: 4_000 };
  const limits = { ...caps, approvalAboveAdAccountTotalPerDayMinor: 1_000 };
  const rates = { day: '2026-11-20', maxAgeDays: 7, base: 'EUR', perBase: { USD: 1.25 } };
  const inUsd: FactsChange = { adAccounts: { 'ads-emea': { version: 5, currency: 'USD', campaigns: {} } } };
  const spends = [
    decide(proposalOf('ads.shift_budget'), {}, policyOf(content({ charter: { limits } }))),
    decide(
      proposalOf('ads.shift_budget', { currency: 'USD' }),
      inUsd,
      policyOf(content({ charter: { limits }, rates })),
    ),
    decide(proposalOf('ads.shift_budget', { currency: 'USD' }), inUsd),
    decide(proposalOf('ads.shift_budget', { currency: 'QQQ' }), inUsd),
  ].map(withoutGate);
  // The version is digested too: a digest that is noted for one version fits no other.
  const judged = digestOf([gateVersion, results, steps, again, free, enrolled, owned, spends]);
  expect(judged, 'raise `gateVersion` in `version.ts`, and note the digest of now beside it').toBe(judgementsDigest);
});
