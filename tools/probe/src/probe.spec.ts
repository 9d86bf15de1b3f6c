import { createPublicKey } from 'node:crypto';
import { checkEvent, digestOf, topicNamed, topology } from '@countersign/contracts';
import { judge, open, taskFact } from '@countersign/gate';
import {
  approvedEvent,
  at,
  type FactsChange,
  factsFor,
  permitKeys,
  policyOf,
  proposalOf,
  stateFor,
} from '@countersign/gate/testing';
import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { bids, forgedBid } from './forge.js';
import { firstSteps, partFor, proposedBid, proposedMessage, taskOf, zoneFor } from './ground.js';
import { type Found, judgeProbe, type Seen } from './judge.js';
import { type Attempt, attempts } from './plan.js';
import { probeText, resultOf } from './report.js';

const { signing, keys } = permitKeys('validator-1');
const own = permitKeys('probe').signing;
const policy = policyOf();
const proposal = proposalOf('ads.set_bid', { bidMinor: bids.honest });
const facts = factsFor(proposal);
const approval = approvedEvent(proposal, judge(proposal, facts, policy, at), signing);
const publicKey = createPublicKey(signing.key);
const forging = { own, publicKey, validator: signing, at };

/** What an executor says of it that has spent the honest permit. */
const opened = (event: unknown, connector = 'ads') => {
  const permitId = (event as { permitId: string }).permitId;
  return open(event, {
    keys,
    audience: `action-executor/${connector}`,
    at,
    state: stateFor(facts),
    spent: permitId === approval.permitId,
  });
};

const rejectedBids = attempts.filter((a) => a.ground === 'bid' && (a.expected.as === 'rejected' || a.id === 'expired'));

test.each(rejectedBids.map((a) => [a.id, a] as const))(
  '%s is what it says: an executor refuses it for that',
  (id, { expected }) => {
    const bad = forgedBid(id, approval, forging);
    const opening = opened(bad, bad?.connector);
    expect(opening.ok).toBe(false);
    expect('codes' in expected && !opening.ok && expected.codes.includes(opening.refusal.code)).toBe(true);
  },
);

test('[case 12] an approval without a permit is no approval to its readers, and says so before anything is looked at', () => {
  const bad = forgedBid('no-permit', approval, forging);
  expect(bad).not.toHaveProperty('permit');
  const topic = topicNamed('actions.approved.v1', topology());
  const event = { id: 'e-1', source: topic.source ?? '', type: 'ActionApproved', time: at };
  expect(checkEvent(topic, { ...event, data: approval })).toMatchObject({ ok: true });
  expect(attempts.find((a) => a.id === 'no-permit')).toMatchObject({ expected: { codes: ['contract'] } });
  expect(checkEvent(topic, { ...event, data: bad })).toMatchObject({
    ok: false,
    fault: { code: 'contract', field: 'data.permit' },
  });
  expect(opened(bad, 'ads')).toMatchObject({ ok: false, refusal: { detail: 'there is no permit' } });
});

test('the approval that forgeries are made of opens: it is they that are wrong', () => {
  expect(
    open(approval, { keys, audience: 'action-executor/ads', at, state: stateFor(facts), spent: false }),
  ).toMatchObject({ ok: true });
});

test('no forgery that changes the bid can pass for the honest action', () => {
  for (const { id } of rejectedBids) {
    const bad = forgedBid(id, approval, forging);
    if (!bad || id === 'replayed' || id === 'other-connector') continue;
    expect(bad.action.payload.bidMinor).toBe(bids.bad);
    expect(bad.action.actionId).not.toBe(approval.actionId);
    expect(digestOf(bad.action)).not.toBe(approval.digest);
  }
});

test("what takes the validator's signature is not forged without its key", () => {
  const without = { own, publicKey, at };
  expect(attempts.filter((a) => a.needsSigningKey).map((a) => forgedBid(a.id, approval, without))).toEqual([
    undefined,
    undefined,
  ]);
});

test('the probe proposes as an agent that a charter and a play let do it alone, and as nobody else', () => {
  const bid = partFor('bid', policy);
  expect(bid).toMatchObject({ agent: 'paid-media-agent', play: 'return-below-floor', currency: 'EUR' });
  const suggested = policy.content.charters.map((c) => ({
    ...c,
    kinds: { ...c.kinds, 'ads.set_bid': 'suggest' as const },
  }));
  expect(partFor('bid', { content: { ...policy.content, charters: suggested } })).toBeUndefined();
});

test('what the probe proposes is approved by the rules as shipped, once its campaigns and contacts are known', () => {
  const base = {
    run: 'r1',
    part: { agent: 'paid-media-agent', play: 'return-below-floor', title: 't', currency: 'EUR' },
  };
  const known = { name: 'x', at, madeFrom: {} };
  const bid = proposedBid({ ...base, ...known }, { id: 'forged' });
  const campaigns = { 'probe-r1-forged': { dailyBudgetMinor: 1_000, bidMinor: bids.before } };
  const adAccounts = { 'probe-r1': { version: 1, currency: 'EUR', campaigns } };
  expect(judge(bid, factsFor(bid, { adAccounts }), policy, at).verdict.outcome).toBe('approved');
  const to = { contactId: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1101', sendAt: at, accountId: 'probe-r1-stopped' };
  const message = proposedMessage({ ...base, ...known }, to);
  expect(judge(message, factsFor(message), policy, at).verdict.outcome).toBe('approved');
});

test('a step again and words of its own are wrong by the one thing that they try, under the task of their honest twin', () => {
  const { own: step } = firstSteps(policy);
  const part = { agent: 'paid-media-agent', play: 'return-below-floor', title: 't', currency: 'EUR' };
  const base = { run: 'r1', part, name: 'x', at, madeFrom: {} };
  const to = { contactId: '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1101', sendAt: at, accountId: 'probe-r1-x' };
  const twin = proposedMessage(base, { ...to, step });
  const { contactId } = to;
  const task = { ...taskFact({ ...taskOf(twin), contactIds: [contactId], kinds: ['email.send'] }) };
  const against = (proposal: typeof twin, facts: FactsChange) =>
    judge(proposal, factsFor(proposal, { task, ...facts }), policy, at).verdict.reasons.flatMap((r) =>
      r.outcome === 'pass' ? [] : [`${r.rule} ${r.outcome}`],
    );
  expect(against(twin, {})).toEqual([]);
  const again = proposedMessage({ ...base, item: 'bad' }, { ...to, step });
  expect(again.proposalId).not.toBe(twin.proposalId);
  expect(against(again, { sameStep: 1 })).toEqual(['enrolment-step refuse']);
  expect(against(proposedMessage({ ...base, item: 'bad' }, to), {})).toEqual(['task escalate']);
});

/** The best that can be found of an attempt. */
const good = ({ expected }: Attempt): Found => ({
  record: {
    as: expected.as,
    ...('codes' in expected && { code: expected.codes[0] as string }),
    ...('outcome' in expected && { outcome: expected.outcome }),
  },
  badEffects: 0,
  twinEffects: 1,
  twinExecuted: 1,
});
const all = (change: Partial<Record<Attempt['id'], Seen>> = {}): Map<string, Seen> =>
  new Map(attempts.map((a) => [a.id, change[a.id] ?? { tried: true, found: good(a) }]));
const honest = good(attempts[0] as Attempt);
const verdictOf = (seen: Seen) =>
  judgeProbe('r', all({ forged: seen })).rows.find((row) => row.id === 'forged')?.verdict;

test('where everything was refused, recorded, and each twin ran once, the probe is content', () => {
  expect(judgeProbe('r', all())).toMatchObject({ ok: true, ran: 0, tried: attempts.length });
});

test('[case 12] an effect, or a settlement that claims one, is a way around the gate', () => {
  expect(verdictOf({ tried: true, found: { ...honest, badEffects: 1 } })).toBe('ran');
  expect(verdictOf({ tried: true, found: { ...honest, record: { as: 'executed' } } })).toBe('ran');
  const report = judgeProbe('r', all({ forged: { tried: true, found: { ...honest, badEffects: 1 } } }));
  expect([report.ok, report.ran]).toEqual([false, 1]);
});

test('no record, or another one than must be there, is a fault', () => {
  expect(verdictOf({ tried: true, found: { ...honest, record: null } })).toBe('no-record');
  expect(verdictOf({ tried: true, found: { ...honest, record: { as: 'rejected', code: 'digest' } } })).toBe(
    'no-record',
  );
  expect(judgeProbe('r', new Map()).ok).toBe(false);
});

test.each([
  [0, 0],
  [2, 1],
  [1, 2],
])(
  'a twin with %i effects and %i settlements is a fault: a gate that refuses everything is none',
  (twinEffects, twinExecuted) => {
    expect(verdictOf({ tried: true, found: { ...honest, twinEffects, twinExecuted } })).toBe('twin-failed');
  },
);

test('what could not be tried is said, and decides nothing; where nothing could, the answer is no', () => {
  const report = judgeProbe('r', all({ expired: { tried: false, reason: 'needs the signing key' } }));
  expect([report.ok, report.tried]).toEqual([true, attempts.length - 1]);
  expect(probeText(picocolors.createColors(false), report)).toContain('not tried: needs the signing key');
  const none = new Map<string, Seen>(attempts.map((a) => [a.id, { tried: false, reason: 'x' }]));
  expect(judgeProbe('r', none).ok).toBe(false);
});

test('an honest action that was refused leaves its attempt not measured, which is no success', () => {
  const held: Seen = {
    tried: false,
    heldUp: true,
    reason: 'the honest action was refused by quiet-hours: it is night',
  };
  const report = judgeProbe('r', all({ early: held, stopped: held }));
  expect([report.ok, report.ran, report.tried]).toEqual([false, 0, attempts.length - 2]);
  expect(resultOf(report)).toMatchObject({ outcome: 'broken' });
  const text = probeText(picocolors.createColors(false), report);
  expect(text).toContain('not measured: the honest action was refused by quiet-hours: it is night');
  expect(text).toMatch(
    new RegExp(`0 of ${report.tried} ran, 2 attempts not measured, because the honest action was refused; probe r\\.$`),
  );
});

test('where nothing was tried, the text does not count nought of nought', () => {
  const none = new Map<string, Seen>(attempts.map((a) => [a.id, { tried: false, reason: 'x' }]));
  const text = probeText(picocolors.createColors(false), judgeProbe('r', none));
  expect(text).toMatch(
    new RegExp(`Nothing was tried, so nothing is known, ${attempts.length} attempts not tried; probe r\\.$`),
  );
});

test('quiet hours do not hold the probe up: its contacts live where it is a time for messages', () => {
  const quiet = policyOf({
    ...policy.content,
    rules: { ...policy.content.rules, quietHours: { from: '21:00', to: '08:00' } },
  });
  const part = { agent: 'paid-media-agent', play: 'return-below-floor', title: 't', currency: 'EUR' };
  const contactId = '0b54d2f4-6a0c-5f0e-9a2b-1c6d0f6a1101';
  for (const hour of ['00', '06', '12', '18']) {
    const now = `2026-11-21T${hour}:30:00.000Z`;
    const sendAt = `2026-11-21T${hour}:31:00.000Z`;
    const message = proposedMessage(
      { run: 'r1', part, name: 'x', at: now, madeFrom: {} },
      { contactId, sendAt, accountId: 'probe-r1-x' },
    );
    const timeZone = zoneFor(quiet, now, 140_000);
    const whereabouts = (known: object): FactsChange => ({ whereabouts: { [contactId]: { version: 3, ...known } } });
    const against = (known: object) =>
      judge(message, factsFor(message, whereabouts(known), quiet, now), quiet, now).verdict.reasons.find(
        ({ rule }) => rule === 'quiet-hours',
      )?.outcome;
    expect(against({ timeZone })).toBe('pass');
    expect(against({})).toBe('refuse');
  }
  expect(zoneFor(policy, at, 1000)).toBeUndefined();
});

test('[case 12] the text ends with how many ran of how many that were tried', () => {
  const text = probeText(picocolors.createColors(false), judgeProbe('1a2b', all()));
  expect(text).toMatch(/algorithm "none" +rejected: algorithm +rejected: algorithm; its twin ran once +held/);
  expect(text).toMatch(new RegExp(`0 of ${attempts.length} ran; probe 1a2b\\.$`));
});
