import {
  type Action,
  type ActionApproved,
  type ActionEscalated,
  type ActionProposed,
  type ActionRefused,
  type ActionSettled,
  type DryRunJudged,
  derivedId,
  digestOf,
  type PolicyContent,
  type ReviewDecided,
  type TaskAssigned,
} from '@countersign/contracts';
import { judge, open, readVerifyKeys } from '@countersign/gate';
import {
  actionOf,
  adAccountLedger,
  at,
  other as bob,
  campaignLedger,
  contact,
  content,
  granted,
  permitKeys,
  policyOf,
  taskOf,
} from '@countersign/gate/testing';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { taskRetentionMs } from '../core/tasks.js';
import { proposed } from '../core/testing.js';
import { GuardrailValidatorModule, spec } from '../module.js';
import { account, adProfiles, assignTasks, person, signsWith } from './testing.js';
import { Store } from './verdicts.repository.js';

const { jwk, keys } = permitKeys('validator-1');
const suggested = content({ charter: { kinds: { 'ads.set_bid': 'suggest', 'email.send': 'auto' } } });
const plus = (seconds: number): string => new Date(Date.parse(at) + seconds * 1000).toISOString();

let removeKey: () => void;
let database: TestDatabase;
let service: Harness;
let ageMs: number | null;

beforeEach(async () => {
  removeKey = signsWith(jwk);
  database = await copyTestDatabase(tablesOf(spec));
  service = await start(at);
  await publish(suggested);
  await assignTasks(service);
  await service.putState('consents.v1', contact, { ...granted(), contactId: contact, changedAt: at });
  for (const [key, data] of adProfiles()) await service.putState('profiles.v1', key, data);
  await service.putState('profiles.v1', `contact:${contact}`, person(contact));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await service?.close();
  await database?.close();
  removeKey();
});

function start(now: string): Promise<Harness> {
  ageMs = 0;
  return createHarness(GuardrailValidatorModule, spec, {
    databaseUrl: database.url,
    at: now,
    stateAgeMs: () => Object.fromEntries((spec.state ?? []).map(({ name }) => [name, ageMs])),
  });
}

const publish = (policy: PolicyContent, version = 7) =>
  service.putState('policies.v1', 'main', policyOf(policy, version));
const setNow = (to: string): void => {
  service.setNow(to);
};

const topicOf = (agent: string): string => `actions.proposed.${agent}.v1`;
const propose = (...proposals: ActionProposed[]) =>
  service.deliver(
    topicOf('paid-media-agent'),
    proposals.map((data) => ({ type: 'ActionProposed', data, correlationid: 'signal-1' })),
  );
const shift = (amountMinor: number, n = 1, change: Partial<ActionProposed> = {}) =>
  proposed('ads.shift_budget', { amountMinor }, n, change);
const dataOf = <T>(events: readonly { type: string; data: unknown }[], type: string): T[] =>
  events.filter((event) => event.type === type).map((event) => event.data as T);
const approvals = (events = service.published) => dataOf<ActionApproved>(events, 'ActionApproved');
const refusals = (events = service.published) => dataOf<ActionRefused>(events, 'ActionRefused');

const settlement = (approved: ActionApproved, outcome: ActionSettled['outcome'], change = {}): ActionSettled => ({
  permitId: approved.permitId,
  actionId: approved.actionId,
  proposalId: approved.proposalId,
  digest: approved.digest,
  executor: approved.executor,
  connector: approved.connector,
  outcome,
  at,
  ...change,
});
const settled = (data: ActionSettled, executor = 'action-executor') =>
  service.deliver(`actions.settled.${executor}.v1`, [{ type: 'ActionSettled', data }]);
const reservations = async (ledger: string): Promise<string[]> =>
  (
    await service.query<{ state: string; amount: number }>(
      'SELECT state, amount FROM reservations WHERE ledger = $1 ORDER BY state',
      [ledger],
    )
  ).map(({ state, amount }) => `${state} ${amount}`);

describe('a proposal', () => {
  test('[case 1] that is in order gets a permit that opens, in the chain of its signal, and holds what it reserved', async () => {
    const events = await propose(shift(3000));
    const [approved] = approvals(events);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ topic: 'actions.approved.v1', key: 'ads-emea', correlationid: 'signal-1' });
    const opened = open(approved, {
      keys,
      audience: 'action-executor/ads',
      at,
      state: {
        controls: {},
        consents: {},
        policy: policyOf(suggested),
        ageMs: { controls: 0, consents: 0, policies: 0 },
      },
      spent: false,
    });
    expect(opened.ok).toBe(true);
    expect(await reservations(campaignLedger)).toEqual(['held 3000']);
  });

  test('[case 48] is refused where no policy was ever read', async () => {
    await service.query('DELETE FROM state_rows WHERE topic = $1', ['policies.v1']);
    expect(refusals(await propose(shift(3000)))[0]?.verdict.reasons).toMatchObject([
      { rule: 'policy', detail: 'no policy is in force, so nothing may run' },
    ]);
  });

  test('[case 48] is refused where there is no policy', async () => {
    const policy = policyOf(suggested, 8);
    await service.putState('policies.v1', 'main', { ...policy, digest: digestOf('other') });
    expect(refusals(await propose(shift(3000)))[0]?.verdict.reasons).toMatchObject([{ rule: 'policy' }]);
  });

  test('is judged once: the same again says nothing, another under its id is refused and not judged', async () => {
    await propose(shift(3000));
    expect(await propose(shift(3000))).toEqual([]);
    const [refused] = refusals(await propose(shift(4000)));
    expect(refused?.verdict.reasons[0]?.rule).toBe('proposal-id');
    expect(await reservations(campaignLedger)).toEqual(['held 3000']);
  });

  test('twice in one batch under one id is judged as the first', async () => {
    const events = await propose(shift(3000), shift(4000));
    expect(approvals(events)).toHaveLength(1);
    expect(refusals(events)[0]?.verdict.reasons[0]?.rule).toBe('proposal-id');
  });

  test('[case 47] delivered again publishes the same bytes and reserves nothing more', async () => {
    const records = service.records(topicOf('paid-media-agent'), [{ type: 'ActionProposed', data: shift(3000) }]);
    const first = await service.deliverRecords(topicOf('paid-media-agent'), records);
    const again = await service.deliverRecords(topicOf('paid-media-agent'), records);
    expect(again).toEqual(first);
    expect(await reservations(campaignLedger)).toEqual(['held 3000']);
  });

  test('[case 4] in the name of another agent is refused and recorded under its author', async () => {
    const alarm = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const [refused] = refusals(await propose(shift(3000, 1, { agent: 'sequencing-agent' })));
    expect(alarm).toHaveBeenCalledWith(expect.stringMatching(/^paid-media-agent proposed .* in the name of seq/));
    expect(refused?.agent).toBe('paid-media-agent');
    expect(refused?.verdict.reasons).toContainEqual(expect.objectContaining({ rule: 'author', outcome: 'refuse' }));
  });

  test('[case 43] of an agent that is only observed is refused with what it would have been, and reserves nothing', async () => {
    await publish(content({ charter: { kinds: { 'ads.shift_budget': 'observe', 'email.send': 'observe' } } }), 8);
    const hundred = Array.from({ length: 50 }, (_, n) => [shift(3000, n), proposed('email.send', {}, n)]).flat();
    const refused = refusals(await propose(...hundred));
    // Each as if it were the only one: what is only observed takes no room from another.
    expect(refused.map((refusal) => refusal.shadowOutcome)).toEqual(hundred.map(() => 'approved'));
    expect(refused.map((refusal) => refusal.action)).toEqual(hundred.map((proposal) => proposal.action));
    expect(await service.query('SELECT 1 FROM verdicts WHERE shadow_outcome = $1', ['approved'])).toHaveLength(100);
    expect(await service.query('SELECT 1 FROM reservations')).toEqual([]);
  });

  test('[case 49] with a NUL in its text or in a name of state is a fact to judge, not a failure', async () => {
    const odd = shift(3000, 1, { rationale: 'a\0b', madeFrom: { 'profile:\0': 1, '\0': 2 } });
    const events = await propose(odd);
    expect(events.map((e) => e.type)).toEqual(['ActionEscalated']);
  });

  test('[case 46] of two hundred that came while nobody judged, each is judged once when it is back, under the facts of now', async () => {
    const given = ['paid-media-agent', 'sequencing-agent'].flatMap((agent, a) =>
      Array.from({ length: 4 }, (_, b) => {
        const events = Array.from({ length: 25 }, (_, n) => {
          const data = proposed(b % 2 ? 'email.send' : 'ads.pause_campaign', {}, a * 1000 + b * 100 + n, { agent });
          return { type: 'ActionProposed', data };
        });
        return { topic: topicOf(agent), records: service.records(topicOf(agent), events) };
      }),
    );
    setNow(plus(600));
    const withdrawn = { ...granted(), version: 5, entries: [], contactId: contact, changedAt: plus(300) };
    await service.putState('consents.v1', contact, withdrawn);
    const deliver = () => Promise.all(given.map(({ topic, records }) => service.deliverRecords(topic, records)));
    await deliver();
    expect(approvals()).toHaveLength(100);
    expect(refusals()).toHaveLength(100);
    for (const { action, verdict } of refusals()) {
      expect([action?.kind, verdict.reasons.find((r) => r.rule === 'consent')?.outcome]).toEqual([
        'email.send',
        'refuse',
      ]);
    }
    const judged = 'SELECT count(*) AS verdicts, count(DISTINCT proposal_id) AS proposals, min(at) AS at FROM verdicts';
    const once = [{ verdicts: 200, proposals: 200, at: new Date(plus(600)) }];
    expect(await service.query(judged)).toEqual(once);
    // Whoever died before the offsets were committed gets all of them again.
    await deliver();
    expect(await service.query(judged)).toEqual(once);
  });

  test.each(['noteProposals', 'lockLedgers', 'storePolicy', 'saveVerdicts', 'openEscalations'] as const)(
    '[case 47] whose batch loses its database after %s leaves nothing, and is judged once when it comes again',
    async (step) => {
      const topic = topicOf('paid-media-agent');
      const data = [shift(3000), proposed('ads.set_bid')];
      const records = service.records(
        topic,
        data.map((proposal) => ({ type: 'ActionProposed', data: proposal })),
      );
      const store = service.app.get(Store);
      const does = store[step].bind(store) as (...given: unknown[]) => unknown;
      vi.spyOn(store, step).mockImplementation(((...given: unknown[]) => {
        does(...given);
        throw Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' });
      }) as never);
      await expect(service.deliverRecords(topic, records)).rejects.toThrow('the connection was lost');
      vi.restoreAllMocks();
      expect(service.published).toEqual([]);
      for (const table of ['proposals', 'verdicts', 'permits', 'reservations', 'escalations']) {
        expect(await service.query(`SELECT 1 FROM ${table}`), table).toEqual([]);
      }
      const first = await service.deliverRecords(topic, records);
      expect(first.map((e) => e.type)).toEqual(['ActionApproved', 'ActionEscalated']);
      expect(await service.deliverRecords(topic, records)).toEqual(first);
      expect(await reservations(campaignLedger)).toEqual(['held 3000']);
      const [issued] = await service.query<{ permit: string; verdict: { outcome: string } }>(
        'SELECT p.permit, v.verdict FROM permits p JOIN verdicts v USING (proposal_id)',
      );
      expect(issued).toMatchObject({ permit: approvals(first)[0]?.permit, verdict: { outcome: 'approved' } });
    },
  );

  test('[case 65] is judged under the policy in force, whatever older or unreadable one comes, also read again from the start', async () => {
    const alarm = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const loose = content({ charter: { kinds: { 'ads.set_bid': 'auto' } } });
    const fromTheStart = async () => {
      await publish(loose, 6);
      await publish(suggested, 7);
      const ofAnotherSchema = { ...policyOf(loose, 8), content: { version: 2, guards: [] } };
      await service.putState('policies.v1', 'main', ofAnotherSchema);
      await publish(loose, 6);
    };
    for (const n of [1, 2]) {
      await fromTheStart();
      const events = await propose(proposed('ads.set_bid', {}, n));
      expect(events).toMatchObject([{ type: 'ActionEscalated', data: { verdict: { policy: { version: 7 } } } }]);
    }
    expect(alarm).toHaveBeenCalledWith(expect.stringMatching(/^policies\.v1 .* ignored: contract/));
  });

  test('[case 58] is judged again from what is stored, years later, with the same verdict', async () => {
    await propose(shift(3000, 1), shift(60_000, 2), proposed('email.send'), proposed('ads.set_bid'));
    const rows = await service.query<{ proposal: never; facts: never; verdict: unknown; policy_digest: string }>(
      'SELECT proposal, facts, verdict, policy_digest FROM verdicts ORDER BY verdict_id',
    );
    expect(rows.map((r) => (r.verdict as { outcome: string }).outcome)).toEqual([
      'approved',
      'refused',
      'approved',
      'escalated',
    ]);
    for (const row of rows) {
      const [used] = await service.query<{ content: PolicyContent; version: number }>(
        'SELECT content, version FROM policies_used WHERE digest = $1',
        [row.policy_digest],
      );
      if (!used) throw new Error('the policy was not kept');
      expect(judge(row.proposal, row.facts, policyOf(used.content, used.version), at).verdict).toEqual(row.verdict);
    }
  });

  test('[case 38] is not judged while the controls are not known, and is afterwards', async () => {
    for (const unknown of [10_001, null, -1, Number.NaN]) {
      ageMs = unknown;
      await expect(propose(shift(3000)), String(unknown)).rejects.toThrow('nothing is judged');
    }
    ageMs = 0;
    expect(approvals(await propose(shift(3000)))).toHaveLength(1);
  });

  test('is not judged by a clock that is known to be wrong, and is afterwards, under the limits of the right day', async () => {
    const records = service.records(topicOf('paid-media-agent'), [{ type: 'ActionProposed', data: shift(3000) }]);
    service.setNow(null);
    const deliver = () => service.deliverRecords(topicOf('paid-media-agent'), records);
    await expect(deliver()).rejects.toThrow('nothing is decided');
    expect(await reservations(campaignLedger)).toEqual([]);
    setNow(at);
    expect(approvals(await deliver())).toHaveLength(1);
  });

  test('[case 37] of a stopped agent ends refused, new or in review, and the other agent goes on until all is stopped', async () => {
    const stop = (scope: string) =>
      service.putState('controls.v1', scope, {
        scope,
        state: 'stopped',
        by: 'marc',
        reason: 'a drill',
        version: 1,
        changedAt: at,
      });
    const [a, b] = ['paid-media-agent', 'sequencing-agent'] as const;
    const from = (agent: string, ...data: ActionProposed[]) =>
      service.deliver(
        topicOf(agent),
        data.map((proposal) => ({ type: 'ActionProposed', data: proposal })),
      );
    const bids = [a, b, b].map((agent, n) => proposed('ads.set_bid', {}, n + 1, { agent }));
    const [ofA, ofB, late] = bids.map((p) => ({ proposalId: p.proposalId, digest: digestOf(p.action) }));
    if (!ofA || !ofB || !late) throw new Error('three bids expected');
    await from(a, bids[0] as ActionProposed);
    await from(b, bids[1] as ActionProposed, bids[2] as ActionProposed);
    const whatEnded = (events: Parameters<typeof approvals>[0]) => [
      ...approvals(events).map((approval) => `${approval.agent} approved`),
      ...refusals(events).map((refusal) => {
        const { detail } = refusal.verdict.reasons.find((r) => r.rule === 'kill-control') ?? {};
        return `${refusal.agent} ${detail}`;
      }),
    ];
    await stop(`agent:${a}`);
    const stopped = `${a} stopped: agent:${a} by marc: a drill`;
    expect(whatEnded(await from(a, shift(1000, 11)))).toEqual([stopped]);
    expect(whatEnded(await decide(review(ofA, {}, 1)))).toEqual([stopped]);
    expect(whatEnded(await from(b, shift(1000, 12, { agent: b })))).toEqual([`${b} approved`]);
    expect(whatEnded(await decide(review(ofB, {}, 2)))).toEqual([`${b} approved`]);
    await stop('all');
    const all = `${b} stopped: all by marc: a drill`;
    expect(whatEnded(await from(b, shift(1000, 13, { agent: b })))).toEqual([all]);
    expect(whatEnded(await decide(review(late, {}, 3)))).toEqual([all]);
    // Six were proposed, and each has its one end.
    expect([approvals().length, refusals().length]).toEqual([2, 4]);
  });

  test('[case 37] of a stopped agent is refused, naming the stop', async () => {
    const scope = 'agent:paid-media-agent';
    const stop = { scope, state: 'stopped', by: 'lea', reason: 'odd bids', version: 1, changedAt: at };
    await service.putState('controls.v1', scope, stop);
    const [refused] = refusals(await propose(shift(3000)));
    expect(refused?.verdict.reasons).toContainEqual(
      expect.objectContaining({ rule: 'kill-control', detail: 'stopped: agent:paid-media-agent by lea: odd bids' }),
    );
  });
});

describe('the task of a proposal', () => {
  const { taskId } = taskOf('paid-media-agent');
  const reasonsOf = async (change: Partial<ActionProposed>, kind = 'ads.shift_budget') => {
    const [refused] = refusals(await propose(proposed(kind, {}, 1, change)));
    return refused?.verdict.reasons.filter((r) => r.outcome === 'refuse') ?? [];
  };
  const assign = (change: Partial<TaskAssigned>) =>
    service.putState('tasks.assigned.v1', 'acme', taskOf('paid-media-agent', { taskId: ofMine, ...change }));
  const ofMine = derivedId('task', 'mine');

  test('that nobody assigned is a reason to refuse, and once it is assigned the next proposal is approved', async () => {
    expect(await reasonsOf({ taskId: ofMine })).toEqual([
      {
        rule: 'task-unknown',
        outcome: 'refuse',
        detail: `no task ${ofMine} was assigned to anybody`,
        figures: { taskId: ofMine },
      },
    ]);
    await assign({});
    expect(approvals(await propose(proposed('ads.shift_budget', {}, 2, { taskId: ofMine })))).toHaveLength(1);
  });

  test.each<[what: string, change: Partial<TaskAssigned>, detail: string]>([
    [
      'another agent',
      { agent: 'sequencing-agent' },
      'the agent of the task is sequencing-agent, that of the proposal is paid-media-agent',
    ],
    ['another account', { accountId: 'umbra' }, 'the account of the task is umbra, that of the proposal is acme'],
    ['no account', { accountId: undefined }, 'the account of the task is none, that of the proposal is acme'],
    [
      'another ad account',
      { adAccountId: 'ads-apac' },
      'the ad account of the task is ads-apac, that of the proposal is ads-emea',
    ],
    ['another kind', { kinds: ['ads.set_bid'] }, 'the task was assigned with ads.set_bid, not with ads.shift_budget'],
    [
      'another play',
      { play: { id: 'surge', runId: derivedId('run', 1), title: 'Surge' } },
      'the play of the task is surge, that of the proposal is return-below-floor',
    ],
    [
      'another run',
      { play: { id: 'return-below-floor', runId: derivedId('run', 2), title: 'Return below floor' } },
      `the run of the task is ${derivedId('run', 2)}, that of the proposal is ${derivedId('run', 1)}`,
    ],
  ])('of %s is a reason to refuse, whatever the proposal says of it', async (_what, change, detail) => {
    await assign(change);
    expect(await reasonsOf({ taskId: ofMine })).toMatchObject([{ rule: 'task', detail }]);
    expect(await reservations(campaignLedger)).toEqual([]);
  });

  test('is the first that came under its id: one that is assigned again changes nothing', async () => {
    await service.putState('tasks.assigned.v1', 'acme', taskOf('paid-media-agent', { kinds: ['email.send'] }));
    expect(await reasonsOf({ taskId })).toEqual([]);
  });

  test('is stored with the verdict, and the ad account may be one of its settings', async () => {
    await assign({
      adAccountId: undefined,
      settings: { adAccountId: 'ads-emea', campaignId: 'cmp-to', shiftPercent: 30 },
    });
    await propose(proposed('ads.shift_budget', {}, 1, { taskId: ofMine }));
    const { play, kinds } = taskOf('paid-media-agent');
    expect(await service.query("SELECT outcome, facts->'task' AS task FROM verdicts")).toEqual([
      {
        outcome: 'approved',
        task: {
          agent: 'paid-media-agent',
          kinds,
          play: { id: play.id, runId: play.runId },
          accountId: 'acme',
          adAccountId: 'ads-emea',
          campaignId: 'cmp-to',
          // Of its contacts those that the action concerns.
          contactIds: [],
          named: {},
          dueAt: at,
          contactCount: 2,
        },
      },
    ]);
  });

  const ofTask = "SELECT outcome, facts->'task'->'contactIds' AS contacts FROM verdicts ORDER BY outcome DESC";

  test('is about its contacts and no others, of the same account or not; of the verdict it is a fact whether this one is among them', async () => {
    await assign({ contactIds: [bob] });
    expect(await reasonsOf({ taskId: ofMine }, 'email.send')).toMatchObject([
      { rule: 'task', detail: `contact ${contact} is not among those of the task` },
    ]);
    expect(approvals(await propose(proposed('email.send')))).toHaveLength(1);
    expect(await service.query(ofTask)).toEqual([
      { outcome: 'refused', contacts: [] },
      { outcome: 'approved', contacts: [contact] },
    ]);
  });

  test('names the sequence and the campaign; where a version before kept it, a person answers what it does not say', async () => {
    await assign({ settings: { sequence: 'pricing-follow-up' }, campaignId: 'cmp-low' });
    const detailsOf = async (kind: string) => (await reasonsOf({ taskId: ofMine }, kind)).map(({ detail }) => detail);
    expect(await detailsOf('sequence.enroll')).toEqual([
      'the sequence of the task is pricing-follow-up, that of the proposal is comparison-follow-up',
    ]);
    expect(await detailsOf('ads.set_bid')).toEqual([
      'the campaign of the task is cmp-low, that of the proposal is cmp-to',
    ]);
    await service.query(
      `UPDATE state_rows SET data = data - 'contactIds' - 'named' - 'campaignId' WHERE topic = 'tasks.assigned.v1' AND key = $1`,
      [ofMine],
    );
    const [escalated] = dataOf<ActionEscalated>(
      await propose(proposed('sequence.stop', {}, 2, { taskId: ofMine })),
      'ActionEscalated',
    );
    expect(escalated?.verdict.reasons.filter((r) => r.outcome === 'escalate')).toMatchObject([
      { rule: 'task', detail: 'facts unclear: the task was kept by a version that did not keep what it is about' },
    ]);
  });

  test('is forgotten when no proposal can name it any more, and not before', async () => {
    setNow(plus(taskRetentionMs / 1000 - 60));
    await service.runJobs();
    const tasks = "SELECT 1 FROM state_rows WHERE topic = 'tasks.assigned.v1'";
    expect(await service.query(tasks)).toHaveLength(2);
    setNow(plus(taskRetentionMs / 1000 + 120));
    await service.runJobs();
    expect(await service.query(tasks)).toEqual([]);
    expect(await service.query("SELECT 1 FROM state_rows WHERE topic = 'profiles.v1'")).toHaveLength(4);
  });
});

test('work in the CRM is for the account’s owner, by the profile that is known here; for anybody else a person answers', async () => {
  const forOwner = (ownerId: string, n: number) => propose(proposed('crm.create_task', { ownerId }, n));
  await service.putState('profiles.v1', 'account:acme', account());
  const reason = async (ownerId: string, n: number) =>
    dataOf<ActionEscalated>(await forOwner(ownerId, n), 'ActionEscalated').flatMap(({ verdict }) =>
      verdict.reasons.flatMap(({ rule, outcome, detail }) => (outcome === 'pass' ? [] : [`${rule}: ${detail}`])),
    );
  expect(await reason('owner-7', 1)).toEqual([
    'owner: facts unclear: the owner of account acme is not known, the action is for owner-7',
  ]);
  await service.putState('profiles.v1', 'account:acme', account('owner-7'));
  expect(await reason('owner-8', 2)).toEqual([
    'owner: facts unclear: the owner of account acme is owner-7, the action is for owner-8',
  ]);
  expect(approvals(await forOwner('owner-7', 3))).toHaveLength(1);
});

test('[case 29] a message is approved outside quiet hours where its recipient lives, and its permit names the times that are left', async () => {
  const claimsOf = (approved: ActionApproved | undefined) =>
    JSON.parse(Buffer.from(approved?.permit.split('.')[1] ?? '', 'base64url').toString());
  const [before] = approvals(await propose(proposed('email.send', {}, 1)));
  expect(claimsOf(before)).not.toHaveProperty('open');

  const now = Date.parse(at) / 1000;
  const clock = (seconds: number): string => plus(seconds).slice(11, 16);
  const quiet = { quietHours: { from: clock(600), to: clock(7200) } };
  await publish(content({ rules: { ...quiet, contactFrequency: { touches: 9, days: 7 } } }), 8);
  const unknown = refusals(await propose(proposed('email.send', {}, 2)));
  expect(unknown[0]?.verdict.reasons).toContainEqual(
    expect.objectContaining({ rule: 'quiet-hours', outcome: 'refuse' }),
  );

  const located = person(contact, { version: 2, timeZone: 'UTC' });
  await service.putState('profiles.v1', `contact:${contact}`, located);
  const [inTime] = approvals(await propose(proposed('email.send', {}, 3)));
  expect(claimsOf(inTime).open).toEqual([{ from: now, to: now + 600 }]);
  expect(claimsOf(inTime).exp).toBeGreaterThan(now + 600);

  setNow(plus(600));
  const late = refusals(await propose(proposed('email.send', { sendAt: plus(600) }, 4)));
  expect(late[0]?.verdict.reasons).toContainEqual(expect.objectContaining({ rule: 'quiet-hours', outcome: 'refuse' }));
});

test('[case 28] the same body goes to a person once, also if two agents write it at the same moment, and again if the first one did not run', async () => {
  await publish(content({ rules: { sameMessageDays: 90, contactFrequency: { touches: 9, days: 7 } } }), 8);
  const write = (n: number, body: string) => propose(proposed('email.send', { body }, n));
  const [first] = approvals(await write(1, 'A word.'));
  expect(first?.reservations).toContainEqual(
    expect.objectContaining({ ledger: expect.stringMatching(`^message:${contact}:[0-9a-f]{64}$`), amount: 1 }),
  );
  const again = refusals(await write(2, 'A  WORD.'));
  expect(again[0]?.verdict.reasons.filter(({ outcome }) => outcome === 'refuse').map(({ rule }) => rule)).toEqual([
    'same-message',
  ]);
  const both = await propose(
    proposed('email.send', { body: 'Another.' }, 3),
    proposed('email.send', { body: 'Another.' }, 4),
  );
  expect([approvals(both).length, refusals(both).length]).toEqual([1, 1]);
  if (!first) throw new Error('not approved');
  await settled(settlement(first, 'refused'));
  expect(approvals(await write(5, 'A word.'))).toHaveLength(1);
});

describe('the id of a proposal', () => {
  const victim = proposed('email.send', {}, 1, { agent: 'sequencing-agent' });
  const fromVictim = (data: ActionProposed) =>
    service.deliver(topicOf('sequencing-agent'), [{ type: 'ActionProposed', data }]);

  test('is its author’s: whoever writes under it first is refused in their own name, and the proposal itself is judged', async () => {
    const own = taskOf('paid-media-agent');
    const burning = { ...victim, agent: 'paid-media-agent', taskId: own.taskId, action: actionOf('ads.set_bid') };
    const [refused, ...more] = refusals(await propose(burning));
    expect(more).toEqual([]);
    expect(refused?.agent).toBe('paid-media-agent');
    expect(refused?.verdict.reasons).toContainEqual(
      expect.objectContaining({ rule: 'proposal-id', outcome: 'refuse' }),
    );
    // In the victim's name it is no other: the topic says who wrote.
    const inItsName = proposed('email.send', {}, 2, { agent: 'sequencing-agent' });
    expect(refusals(await propose(inItsName))[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({ rule: 'proposal-id', outcome: 'refuse' }),
    );
    const events = await fromVictim(victim);
    expect(approvals(events)).toMatchObject([{ proposalId: victim.proposalId, agent: 'sequencing-agent' }]);
    expect(refusals(events)).toEqual([]);
    expect(await fromVictim(victim)).toEqual([]);
  });

  test.each<[what: string, change: Partial<ActionProposed>]>([
    ['names no item', { item: undefined }],
    ['is of another item', { item: 'another' }],
    ['is any other', { proposalId: derivedId('any') }],
  ])('that %s is refused', async (_what, change) => {
    const reasons = refusals(await propose({ ...shift(3000), ...change }))[0]?.verdict.reasons ?? [];
    expect(reasons).toContainEqual(expect.objectContaining({ rule: 'proposal-id', outcome: 'refuse' }));
    expect(await reservations(campaignLedger)).toEqual([]);
  });

  test('is not asked of what waited for a person before it was: the answer counts', async () => {
    const [escalated] = dataOf<{ proposalId: string; digest: string }>(
      await propose(proposed('ads.set_bid')),
      'ActionEscalated',
    );
    if (!escalated) throw new Error('not escalated');
    await service.query("UPDATE escalations SET proposal = (proposal::jsonb - 'item')::json");
    expect(approvals(await decide(review(escalated)))).toHaveLength(1);
  });

  test('that another agent was refused under is no verdict on the proposal, also after a restore', async () => {
    const events = [...(await propose({ ...victim, agent: 'paid-media-agent' }))];
    expect(refusals(events)).toHaveLength(1);
    await service.query('TRUNCATE proposals, verdicts, inbox, outbox');
    const again = service.records(topicOf('sequencing-agent'), [{ type: 'ActionProposed', data: victim }]);
    await service.afterRestore(events);
    expect(approvals(await service.deliverRecords(topicOf('sequencing-agent'), again))).toHaveLength(1);
  });
});

describe('limits', () => {
  test('[case 19] fifty proposals at once, from two agents in many batches, never pass a cap, and the others state the shortfall', async () => {
    const wide = content({ charter: { limits: { adAccountSpendPerDayMinor: 7000, approvalAbovePercent: 100 } } });
    await publish(wide, 8);
    const batches = Array.from({ length: 10 }, (_, b) => {
      const agent = b % 2 === 0 ? 'paid-media-agent' : 'sequencing-agent';
      const events = Array.from({ length: 5 }, (_, n) => ({
        type: 'ActionProposed',
        data: shift(1000, b * 5 + n, { agent }),
      }));
      return service.deliver(topicOf(agent), events);
    });
    await Promise.all(batches);
    expect(approvals()).toHaveLength(7);
    expect(await reservations(adAccountLedger)).toEqual(Array(7).fill('held 1000'));
    expect(refusals()).toHaveLength(43);
    for (const { verdict } of refusals()) {
      expect(verdict.reasons).toContainEqual(
        expect.objectContaining({
          rule: 'spend-cap-ad-account',
          detail:
            'EUR 10.00 over the daily cap of EUR 70.00 of ad account ads-emea: EUR 70.00 held or spent today, EUR 10.00 asked for',
        }),
      );
    }
  });

  test('the cap of an ad account holds over three hundred campaigns, those of before among them, and a budget that is not known waits for a person', async () => {
    await publish(content({ charter: { limits: { adAccountSpendPerDayMinor: 7000, approvalAbovePercent: 100 } } }), 8);
    const ids = Array.from({ length: 300 }, (_, n) => `cmp-${n}`);
    const profiles = adProfiles(ids.slice(0, 150), ids.slice(150));
    await Promise.all(
      [...profiles].map(([key, data]) => service.putState('profiles.v1', key, { ...(data as object), version: 4 })),
    );
    const between = (from: number, to: number, n: number) =>
      proposed('ads.shift_budget', { fromCampaignId: `cmp-${from}`, toCampaignId: `cmp-${to}`, amountMinor: 1000 }, n);
    await propose(...Array.from({ length: 150 }, (_, n) => between(n, 299 - n, n)));
    expect(approvals()).toHaveLength(7);
    expect(await reservations(adAccountLedger)).toEqual(Array(7).fill('held 1000'));
    expect(refusals()).toHaveLength(143);
    const unknown = await propose(between(0, 300, 500));
    expect(unknown).toMatchObject([{ type: 'ActionRefused' }]);
    await publish(content({ charter: { limits: { adAccountSpendPerDayMinor: 9000, approvalAbovePercent: 100 } } }), 9);
    expect(await propose(between(0, 300, 501))).toMatchObject([
      {
        type: 'ActionEscalated',
        data: { verdict: { reasons: expect.arrayContaining([expect.objectContaining({ rule: 'campaign' })]) } },
      },
    ]);
  });

  test('[case 23] a budget that was moved away, settled or not, gives nobody room for more', async () => {
    const tight = content({ charter: { limits: { campaignSpendPerDayMinor: 3000, approvalAbovePercent: 100 } } });
    await publish(tight, 8);
    const back = { fromCampaignId: 'cmp-to', toCampaignId: 'cmp-from' };
    const [raise] = approvals(await propose(proposed('ads.shift_budget', { ...back, amountMinor: 3000 }, 1)));
    const [cut] = approvals(await propose(shift(2000, 2)));
    if (!raise || !cut) throw new Error('approvals expected');
    const again = async (n: number) =>
      refusals(await propose(proposed('ads.shift_budget', { ...back, amountMinor: 2000 }, n)))[0]?.verdict.reasons;
    const full = {
      rule: 'spend-cap-campaign',
      detail: expect.stringMatching(/^EUR 20\.00 over .* of campaign cmp-from/),
    };
    expect(await again(3)).toContainEqual(expect.objectContaining(full));
    await settled(settlement(cut, 'executed'));
    expect(await again(4)).toContainEqual(expect.objectContaining(full));
  });

  test('what costs nothing is counted over batches, failed or not, and counts again after an hour', async () => {
    await publish(content({ charter: { limits: { accountActionsPerHour: 3 } } }), 8);
    const task = (n: number) => proposed('crm.create_task', {}, n);
    await service.putState('profiles.v1', 'account:acme', account('owner-7'));
    const first = approvals(await propose(task(1), task(2)));
    expect(first).toHaveLength(2);
    for (const approval of first) await settled(settlement(approval, 'failed'));
    const events = await propose(task(3), task(4));
    expect(approvals(events)).toHaveLength(1);
    expect(refusals(events)[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({
        rule: 'actions-per-hour',
        outcome: 'refuse',
        detail: expect.stringMatching(/^3 of 3 actions of paid-media-agent for acme in an hour are used/),
      }),
    );
    // An ad account is no way around it. Where no account is concerned but that one there is room, and here again after the hour.
    const pause = proposed('ads.pause_campaign', {}, 5);
    expect(refusals(await propose(pause))).toMatchObject([{ proposalId: pause.proposalId }]);
    const taskId = derivedId('task', 'of nobody');
    const ofNobody = taskOf('paid-media-agent', { taskId, accountId: undefined });
    await service.putState('tasks.assigned.v1', 'ads-emea', ofNobody);
    const other = proposed('ads.pause_campaign', {}, 6, { taskId });
    const { accountId: _acme, ...action } = other.action;
    expect(approvals(await propose({ ...other, action }))).toHaveLength(1);
    setNow(plus(3_660));
    expect(approvals(await propose(task(7)))).toHaveLength(1);
  });

  test('[case 22] one touch left for a contact goes to one of two agents in the same moment', async () => {
    await propose(proposed('email.send', {}, 9));
    await Promise.all(
      ['paid-media-agent', 'sequencing-agent'].map((agent, n) =>
        service.deliver(topicOf(agent), [{ type: 'ActionProposed', data: proposed('email.send', {}, n, { agent }) }]),
      ),
    );
    expect(approvals()).toHaveLength(2);
    expect(refusals()).toHaveLength(1);
    expect(refusals()[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({
        rule: 'contact-frequency',
        detail: `2 of 2 touches of contact ${contact} in 7 days are used; the next slot opens ${plus(7 * 86_400)}`,
      }),
    );
  });

  test('a touch counts from when it happened, not from when it was planned, and never from a time to come', async () => {
    await publish(content({ rules: { contactFrequency: { touches: 1, days: 7 } } }), 8);
    const [first] = approvals(await propose(proposed('email.send', {}, 1)));
    if (!first) throw new Error('an approval expected');
    setNow(plus(700));
    await settled(settlement(first, 'executed', { at: plus(600) }));
    setNow(plus(7 * 86_400 + 1));
    const taskId = derivedId('task', 'a week later');
    const later = taskOf('paid-media-agent', { taskId, dueAt: plus(7 * 86_400) });
    await service.putState('tasks.assigned.v1', 'acme', later);
    const again = await propose(proposed('email.send', { sendAt: plus(7 * 86_400 + 1) }, 2, { taskId }));
    expect(refusals(again)[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({ rule: 'contact-frequency', outcome: 'refuse' }),
    );
    setNow(plus(7 * 86_400 + 600));
    const [second] = approvals(
      await propose(proposed('email.send', { sendAt: plus(7 * 86_400 + 600) }, 3, { taskId })),
    );
    if (!second) throw new Error('an approval expected');
    await settled(settlement(second, 'executed', { at: '2099-01-01T00:00:00.000Z' }));
    const [row] = await service.query<{ counts_at: Date }>('SELECT max(counts_at) AS counts_at FROM reservations');
    expect(row?.counts_at.toISOString()).toBe(plus(7 * 86_400 + 600));
  });

  test('a first touch of the C-suite waits for a person, the second after an executed one does not', async () => {
    await service.putState('profiles.v1', `contact:${contact}`, person(contact, { version: 2, seniority: 'c-suite' }));
    const [first] = dataOf<{ proposalId: string; digest: string }>(
      await propose(proposed('email.send')),
      'ActionEscalated',
    );
    if (!first) throw new Error('not escalated');
    const [approved] = approvals(await decide(review(first, { by: 'lea' })));
    if (!approved) throw new Error('not approved');
    await settled(settlement(approved, 'executed'));
    expect(approvals(await propose(proposed('email.send', {}, 2)))).toHaveLength(1);
  });
});

const review = (
  escalation: { proposalId: string; digest: string },
  change: Partial<ReviewDecided> = {},
  n = 1,
): ReviewDecided => ({
  reviewId: derivedId('review', n),
  subject: { kind: 'proposal', id: escalation.proposalId },
  digest: escalation.digest,
  decision: 'approve',
  by: 'lea',
  at,
  ...change,
});
const decide = (...data: ReviewDecided[]) =>
  service.deliver(
    'reviews.decided.v1',
    data.map((answer) => ({ type: 'ReviewDecided', data: answer, correlationid: 'another-chain' })),
  );
const asides = (events = service.published): string[] =>
  dataOf<{ reason: { code: string } }>(events, 'ReviewSetAside').map((aside) => aside.reason.code);

/** Resolves when so many transactions of this test wait for a lock. */
async function blocked(count: number): Promise<void> {
  for (;;) {
    const [row] = await service.query<{ n: number }>(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if ((row?.n ?? 0) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a review', () => {
  let waiting: { proposalId: string; digest: string };
  beforeEach(async () => {
    const proposal = proposed('ads.set_bid');
    await propose(proposal);
    waiting = { proposalId: proposal.proposalId, digest: digestOf(proposal.action) };
  });
  const edit = { ...actionOf('ads.set_bid', { bidMinor: 90 }), actionId: derivedId('action', derivedId('review', 1)) };

  test('of a reviewer is set aside once the tier is approve, also while it waits; the answer of the owner is judged', async () => {
    await publish(content({ charter: { kinds: { 'ads.set_bid': 'approve' } } }), 8);
    expect(asides(await decide(review(waiting)))).toEqual(['no-reviewer']);
    const events = await decide(review(waiting, { by: 'dana' }, 2));
    expect(approvals(events)).toMatchObject([{ digest: waiting.digest, review: { by: 'dana' } }]);
  });

  test('approves exactly what it saw, in the chain of the proposal', async () => {
    const events = await decide(review(waiting));
    expect(approvals(events)[0]).toMatchObject({ digest: waiting.digest, review: { by: 'lea', decision: 'approve' } });
    expect(events[0]?.correlationid).toBe('signal-1');
  });

  describe('that is only tried', () => {
    const tried = { ...edit, actionId: derivedId('action', derivedId('dry')) };
    const ask = (action: Action, by = 'lea', askedAt = at) =>
      service.deliver('dry-runs.asked.v1', [
        {
          type: 'DryRunAsked',
          data: { dryRunId: derivedId('dry'), proposalId: waiting.proposalId, action, by, at: askedAt },
        },
      ]);
    const tables = [
      'proposals',
      'verdicts',
      'permits',
      'reservations',
      'ledgers',
      'approvals_by_minute',
      'escalations',
    ];
    const everything = () =>
      Promise.all(tables.map((table) => service.query(`SELECT to_json(t)::text AS row FROM ${table} t ORDER BY 1`)));

    test('is told what it would become, by the facts of now, and nothing is kept', async () => {
      const before = await everything();
      expect(dataOf(await ask(tried), 'DryRunJudged')).toEqual([
        {
          dryRunId: derivedId('dry'),
          proposalId: waiting.proposalId,
          ...{ outcome: 'approved', reasons: [], at },
          policy: { version: 7, digest: policyOf(suggested).digest },
          runningTotals: expect.arrayContaining([
            { ledger: 'actions:paid-media-agent', held: 0, committed: 0, cap: expect.any(Number) },
          ]),
        },
      ]);
      const foreign = { ...tried, payload: { ...tried.payload, currency: 'USD' } };
      const [refused] = dataOf<DryRunJudged>(await ask(foreign), 'DryRunJudged');
      expect(refused?.outcome).toBe('refused');
      expect(refused?.reasons.length).toBeGreaterThan(0);
      expect(await everything()).toEqual(before);
      expect(service.published.some(({ type }) => type === 'ActionApproved' || type === 'ReviewSetAside')).toBe(false);
      // The same edit, made in earnest, ends as was told.
      await decide(review(waiting, { decision: 'edit', action: edit }));
      expect(approvals()).toMatchObject([{ actionId: edit.actionId }]);
    });

    test('as it is: is told what an approval would become now, under which policy and beside which totals', async () => {
      const asItIs = actionOf('ads.set_bid');
      const now = async () => dataOf<DryRunJudged>(await ask(asItIs), 'DryRunJudged')[0];
      const usedBy = (judged: DryRunJudged | undefined) => {
        const used = judged?.runningTotals?.find(({ ledger }) => ledger === 'actions:paid-media-agent');
        return used && used.held + used.committed;
      };
      const before = await everything();
      const first = await now();
      expect(first).toMatchObject({ outcome: 'approved', reasons: [], policy: { version: 7 } });
      expect(usedBy(first)).toBe(0);
      expect(await everything()).toEqual(before);
      expect(asides()).toEqual([]);

      // Another of the agent's actions is approved, and another policy published.
      const second = proposed('ads.set_bid', { bidMinor: 90 }, 2);
      await propose(second);
      await decide(review({ proposalId: second.proposalId, digest: digestOf(second.action) }, {}, 2));
      await publish(suggested, 8);
      const later = await now();
      expect(later).toMatchObject({ outcome: 'approved', policy: { version: 8 } });
      expect(usedBy(later)).toBe(1);

      await service.putState('controls.v1', 'agent:paid-media-agent', {
        ...{ scope: 'agent:paid-media-agent', state: 'stopped', by: 'marc', reason: 'a drill' },
        ...{ version: 1, changedAt: at },
      });
      const stopped = await now();
      expect(stopped?.outcome).toBe('refused');
      expect(stopped?.reasons.map(({ rule }) => rule)).toContain('kill-control');
    });

    test('as it was when somebody looked, and is not any more, is told to be another one', async () => {
      const other = { ...actionOf('ads.set_bid'), payload: { ...actionOf('ads.set_bid').payload, bidMinor: 1 } };
      expect(dataOf(await ask(other), 'DryRunJudged')).toMatchObject([
        { outcome: 'refused', reasons: [{ rule: 'other-digest' }] },
      ]);
    });

    test('as it is: a message whose receiver has withdrawn consent since would be refused for that', async () => {
      const asked = content({ charter: { kinds: { 'email.send': 'suggest' } } });
      await publish(asked, 8);
      const message = proposed('email.send');
      await propose(message);
      const dryRun = () =>
        service.deliver('dry-runs.asked.v1', [
          {
            type: 'DryRunAsked',
            data: { dryRunId: derivedId('dry'), proposalId: message.proposalId, action: message.action, by: 'lea', at },
          },
        ]);
      expect(dataOf(await dryRun(), 'DryRunJudged')).toMatchObject([{ outcome: 'approved' }]);
      const withdrawn = { ...granted(), version: 5, entries: [], contactId: contact, changedAt: plus(1) };
      await service.putState('consents.v1', contact, withdrawn);
      expect(dataOf(await dryRun(), 'DryRunJudged')).toMatchObject([
        { outcome: 'refused', reasons: [{ rule: 'consent' }] },
      ]);
    });

    test('by somebody who may not answer is refused for that, and what nobody waits for is not judged', async () => {
      expect(dataOf(await ask(tried, 'eve'), 'DryRunJudged')).toMatchObject([
        { outcome: 'refused', reasons: [{ rule: 'no-reviewer' }] },
      ]);
      setNow(plus(31));
      expect(dataOf(await ask(tried), 'DryRunJudged')).toEqual([]);
    });

    test('waits for no lock of an answer', async () => {
      await service.transaction(async (tx) => {
        await tx.query('SELECT 1 FROM escalations FOR UPDATE');
        expect(dataOf(await ask(tried), 'DryRunJudged')).toMatchObject([{ outcome: 'approved' }]);
      });
    });
  });

  test('rule 9: races with others and the deadline: the first wins, every other answer is set aside', async () => {
    const answers = [
      review(waiting, {}, 2),
      review(waiting, { decision: 'reject', by: 'marc' }, 3),
      review(waiting, { decision: 'edit', action: edit }, 1),
    ];
    // All three wait for the row at once, so that none of them has read it before another has closed it.
    let decided: Promise<unknown> | undefined;
    await service.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM escalations FOR UPDATE');
      decided = Promise.all(answers.map((answer) => decide(answer)));
      await blocked(3);
    });
    await decided;
    expect(asides()).toEqual(['closed', 'closed']);
    const ends = [...approvals().map((a) => a.actionId), ...refusals().map((r) => `refused ${r.actionId}`)];
    const original = actionOf('ads.set_bid').actionId;
    expect([[original], [`refused ${original}`], [edit.actionId, `refused ${original}`]]).toContainEqual(ends);
    setNow(plus(3601));
    expect(await service.runJobs()).toEqual([]);
  });

  test('[case 34] in one batch, too, only the first counts', async () => {
    await decide(review(waiting, { decision: 'reject' }, 1), review(waiting, {}, 2));
    expect(approvals()).toEqual([]);
    expect(asides()).toEqual(['closed']);
    expect(refusals()[0]?.verdict.reasons.at(-1)).toMatchObject({ rule: 'review', detail: 'lea rejected it' });
  });

  test('[case 8] approves the one of two that it names; the other waits on under its own id, and takes no answer about the first', async () => {
    const second = proposed('ads.set_bid', { bidMinor: 90 }, 2);
    await propose(second);
    const other = { proposalId: second.proposalId, digest: digestOf(second.action) };
    expect(approvals(await decide(review(waiting, {}, 2))).map((a) => a.digest)).toEqual([waiting.digest]);
    expect(
      await service.query('SELECT proposal_id, digest, state FROM escalations WHERE state = $1', ['open']),
    ).toEqual([{ proposal_id: other.proposalId, digest: other.digest, state: 'open' }]);
    expect(asides(await decide(review({ ...other, digest: waiting.digest }, {}, 3)))).toEqual(['other-digest']);
    expect(approvals(await decide(review(other, {}, 4))).map((a) => a.digest)).toEqual([other.digest]);
  });

  test('rule 9: that edits closes the original and has the new action judged from the start', async () => {
    const events = await decide(review(waiting, { decision: 'edit', action: edit }));
    expect(refusals(events)).toMatchObject([{ digest: waiting.digest, supersededBy: edit.actionId }]);
    expect(approvals(events)).toMatchObject([
      { actionId: edit.actionId, digest: digestOf(edit), review: { decision: 'edit' } },
    ]);
    expect(asides(await decide(review(waiting, {}, 2)))).toEqual(['closed']);
  });

  test('[case 33] that edits into something forbidden is refused, and the original stays closed', async () => {
    const dollars = { ...edit, payload: { ...edit.payload, currency: 'USD' } };
    const events = await decide(review(waiting, { decision: 'edit', action: dollars }));
    expect(approvals(events)).toEqual([]);
    expect(refusals(events).map((r) => r.actionId)).toEqual([actionOf('ads.set_bid').actionId, edit.actionId]);
  });

  test('[case 33] that edits is judged under the facts of now; the original is superseded, and nothing can run it', async () => {
    const stop = {
      scope: 'account:ads-emea',
      state: 'stopped',
      by: 'marc',
      reason: 'drill',
      version: 1,
      changedAt: at,
    };
    await service.putState('controls.v1', 'account:ads-emea', stop);
    const events = await decide(review(waiting, { decision: 'edit', action: edit }));
    expect(refusals(events)).toMatchObject([
      { digest: waiting.digest, supersededBy: edit.actionId, verdict: { reasons: [{ rule: 'superseded' }] } },
      { digest: digestOf(edit) },
    ]);
    expect(refusals(events)[1]?.verdict.reasons).toContainEqual(
      expect.objectContaining({ rule: 'kill-control', outcome: 'refuse' }),
    );
    await service.putState('controls.v1', 'account:ads-emea', { ...stop, state: 'running', version: 2 });
    expect(asides(await decide(review(waiting, {}, 2)))).toEqual(['closed']);
    expect(approvals()).toEqual([]);
  });

  test('[case 31] [case 37] does not lift what refuses meanwhile', async () => {
    const stop = { scope: 'all', state: 'stopped', by: 'marc', reason: 'drill', version: 1, changedAt: at };
    await service.putState('controls.v1', 'all', stop);
    const events = await decide(review(waiting));
    expect(approvals(events)).toEqual([]);
    expect(refusals(events)[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({ rule: 'kill-control', outcome: 'refuse' }),
    );
  });

  test.each<[string, Partial<ReviewDecided>]>([
    ['other-digest', { digest: 'a'.repeat(64) }],
    ['no-reviewer', { by: 'dana' }],
    ['no-escalation', { subject: { kind: 'proposal', id: derivedId('nothing') } }],
  ])('[case 8] [case 34] that does not fit is set aside as %s, and the proposal still waits', async (code, change) => {
    expect(asides(await decide(review(waiting, change)))).toEqual([code]);
    expect(approvals(await decide(review(waiting, {}, 2)))).toHaveLength(1);
  });

  test('of a checkpoint is not for this service', async () => {
    expect(await decide(review(waiting, { subject: { kind: 'checkpoint', id: waiting.proposalId } }))).toEqual([]);
  });

  test('rule 9: that comes after the deadline is late even if the deadline was not worked yet, which then refuses', async () => {
    setNow(plus(3601));
    expect(asides(await decide(review(waiting)))).toEqual(['late']);
    const events = await service.runJobs();
    expect(refusals(events)).toMatchObject([
      { digest: waiting.digest, verdict: { reasons: [{ rule: 'review-deadline' }] } },
    ]);
    expect(events[0]?.correlationid).toBe('signal-1');
    expect(asides(await decide(review(waiting, {}, 2)))).toEqual(['closed']);
    expect(await service.runJobs()).toEqual([]);
  });

  test('[case 32] that nobody gave is a refusal at the deadline, also after a restart, and a second late it has no effect', async () => {
    await service.close();
    service = await start(plus(3600));
    expect(refusals(await service.runJobs()).map((r) => r.verdict.reasons)).toEqual([
      [{ rule: 'review-deadline', outcome: 'refuse', detail: `nobody had answered by ${plus(3600)}` }],
    ]);
    setNow(plus(3601));
    expect(asides(await decide(review(waiting, { at: plus(3601) })))).toEqual(['closed']);
    expect(approvals()).toEqual([]);
  });

  test('[case 32] that comes a second before the deadline counts, so that it is the deadline that refuses', async () => {
    setNow(plus(3599));
    expect(approvals(await decide(review(waiting, { at: plus(3599) })))).toHaveLength(1);
  });

  test('[case 42] made by hand for a proposal that is only observed is set aside, and nothing can run', async () => {
    await publish(content({ charter: { kinds: { 'ads.shift_budget': 'observe' } } }), 8);
    const proposal = shift(3000);
    await propose(proposal);
    const events = await decide(review({ proposalId: proposal.proposalId, digest: digestOf(proposal.action) }));
    expect(asides(events)).toEqual(['no-escalation']);
    expect(approvals()).toEqual([]);
  });

  test.each([
    ['suppressed', false],
    ['willing', true],
  ])('[case 15] that edits a draft to go to somebody %s is judged by the final recipient', async (_who, willing) => {
    await publish(content({ charter: { kinds: { 'email.send': 'suggest' } } }), 8);
    const suppression = { channel: 'email', reason: 'unsubscribed', at, signalId: 's-9' };
    await service.putState('consents.v1', bob, {
      ...granted(),
      ...(willing ? {} : { suppressions: [suppression] }),
      contactId: bob,
      changedAt: at,
    });
    await service.putState('profiles.v1', `contact:${bob}`, person(bob));
    const draft = proposed('email.send');
    await propose(draft);
    const ids = { actionId: derivedId('action', derivedId('review', 1)) };
    const action = { ...actionOf('email.send', { contactId: bob }), ...ids };
    const answer = review(
      { proposalId: draft.proposalId, digest: digestOf(draft.action) },
      { decision: 'edit', action },
    );
    const events = await decide(answer);
    if (willing) expect(approvals(events).map((a) => a.action.payload.contactId)).toEqual([bob]);
    else {
      expect(approvals(events)).toEqual([]);
      expect(refusals(events)[1]?.verdict.reasons).toContainEqual(
        expect.objectContaining({
          rule: 'consent',
          detail: `contact ${bob} is suppressed for email (unsubscribed) since ${at}`,
        }),
      );
    }
    // What is decided stays decided: a later yes finds nothing that waits.
    expect(asides(await decide({ ...answer, reviewId: derivedId('review', 2), decision: 'approve' }))).toEqual([
      'closed',
    ]);
  });

  test('[case 15] a draft whose recipient withdrew meanwhile is not sent by an approval', async () => {
    await publish(content({ charter: { kinds: { 'email.send': 'suggest' } } }), 8);
    const draft = proposed('email.send');
    await propose(draft);
    await service.putState('consents.v1', contact, {
      ...granted(),
      version: 5,
      entries: [],
      contactId: contact,
      changedAt: at,
    });
    const events = await decide(review({ proposalId: draft.proposalId, digest: digestOf(draft.action) }));
    expect(approvals(events)).toEqual([]);
    expect(refusals(events)[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({ rule: 'consent', outcome: 'refuse' }),
    );
  });
});

describe('a settlement', () => {
  let approved: ActionApproved;
  beforeEach(async () => {
    [approved] = approvals(await propose(shift(3000))) as [ActionApproved];
  });

  test('[case 20] counts once, however often it comes', async () => {
    await settled(settlement(approved, 'executed'));
    await settled(settlement(approved, 'executed'));
    await settled(settlement(approved, 'failed'));
    expect(await reservations(campaignLedger)).toEqual(['committed 3000']);
  });

  test.each(['failed', 'refused', 'expired'] as const)('[case 20] %s gives the amount back', async (outcome) => {
    await settled(settlement(approved, outcome));
    expect(await reservations(campaignLedger)).toEqual(['released 3000']);
    expect(await reservations(adAccountLedger)).toEqual(['released 3000']);
  });

  test('[case 21] of more than was reserved is booked in full and said aloud, and nothing more is spent until there is room', async () => {
    const tight = content({ charter: { limits: { campaignSpendPerDayMinor: 4000 } } });
    await publish(tight, 8);
    await settled(settlement(approved, 'failed'));
    const [forty] = approvals(await propose(shift(4000, 2))) as [ActionApproved];
    const alarm = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await settled(settlement(forty, 'executed', { spentMinor: 4600 }));
    for (const ledger of [campaignLedger, adAccountLedger]) {
      expect(await reservations(ledger)).toEqual(['committed 4600', 'released 3000']);
      const detail = `permit ${forty.permitId} went over what it reserved on ${ledger}: EUR 46.00 spent, EUR 40.00 reserved`;
      expect(alarm).toHaveBeenCalledWith(expect.stringContaining(detail));
    }
    expect(refusals(await propose(shift(100, 3)))[0]?.verdict.reasons).toContainEqual(
      expect.objectContaining({
        rule: 'spend-cap-campaign',
        detail:
          'EUR 7.00 over the daily cap of EUR 40.00 of campaign cmp-to: EUR 46.00 held or spent today, EUR 1.00 asked for',
      }),
    );
    const wider = content({ charter: { limits: { campaignSpendPerDayMinor: 4700 } } });
    await publish(wider, 9);
    expect(approvals(await propose(shift(100, 4)))).toHaveLength(1);
  });

  test('[case 21] of less than was reserved gives nothing back, and comes to the same in whatever order it is repeated', async () => {
    await settled(settlement(approved, 'unresolved'));
    await settled(settlement(approved, 'executed', { spentMinor: 10 }));
    await settled(settlement(approved, 'executed', { spentMinor: 9000 }));
    expect(await reservations(campaignLedger)).toEqual(['committed 3000']);
  });

  test.each([2, 1_200])(
    '[case 21] of all that a number can say, %i times on one day, is booked; the cap refuses with exact figures, and nothing fails',
    async (times) => {
      const spentMinor = Number.MAX_SAFE_INTEGER;
      vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      await publish(content({ charter: { limits: { actionsPerHour: 5_000, accountActionsPerHour: 5_000 } } }), 8);
      const more: ActionApproved[] = [];
      // Batches that a busy machine judges well within the time for which a transaction may rest.
      const batches = <T>(all: readonly T[]): T[][] =>
        Array.from({ length: Math.ceil(all.length / 200) }, (_, n) => all.slice(n * 200, (n + 1) * 200));
      for (const proposals of batches(Array.from({ length: times }, (_, i) => shift(1, i + 2))))
        more.push(...approvals(await propose(...proposals)));
      expect(more).toHaveLength(times);
      for (const approved of batches(more))
        await service.deliver(
          'actions.settled.action-executor.v1',
          approved.map((approval) => ({
            type: 'ActionSettled',
            data: settlement(approval, 'executed', { spentMinor }),
          })),
        );
      const states = 'SELECT DISTINCT state FROM permits WHERE permit_id = ANY($1)';
      expect(await service.query(states, [more.map((approval) => approval.permitId)])).toEqual([{ state: 'executed' }]);
      const [refused] = refusals(await propose(shift(100, 3_000)));
      const reason = refused?.verdict.reasons.find(({ rule }) => rule === 'spend-cap-campaign');
      expect(reason).toMatchObject({ outcome: 'refuse', figures: { committedMinor: spentMinor, heldMinor: 3_000 } });
      const figures = Object.values(reason?.figures ?? {}).filter((figure) => typeof figure === 'number');
      expect(figures.filter((figure) => !Number.isSafeInteger(figure))).toEqual([]);
    },
  );

  test.each([
    ['that more was spent than a number holds', { spentMinor: Number.MAX_SAFE_INTEGER + 1 }, Number.MAX_SAFE_INTEGER],
    [
      'what nobody can keep',
      { spentMinor: -1, externalReference: 'x\u0000'.repeat(400), reason: 'because', after: [] },
      3_000,
    ],
  ])('whose executor says %s is booked all the same, and its permit has ended', async (_, change, booked) => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await settled(settlement(approved, 'executed', change));
    expect(await reservations(campaignLedger)).toEqual([`committed ${booked}`]);
    expect(await service.query('SELECT state FROM permits')).toEqual([{ state: 'executed' }]);
    expect(await service.query('SELECT fault FROM dead_letters')).toEqual([]);
  });

  test('rule 7: unresolved holds until another one decides', async () => {
    await settled(settlement(approved, 'unresolved'));
    expect(await reservations(campaignLedger)).toEqual(['held 3000']);
    await settled(settlement(approved, 'failed'));
    expect(await reservations(campaignLedger)).toEqual(['released 3000']);
  });

  test('[case 20] both words of one batch are booked', async () => {
    await service.deliver('actions.settled.action-executor.v1', [
      { type: 'ActionSettled', data: settlement(approved, 'unresolved') },
      { type: 'ActionSettled', data: settlement(approved, 'executed') },
      { type: 'ActionSettled', data: settlement(approved, 'undone') },
    ]);
    expect(await reservations(campaignLedger)).toEqual(['released 3000']);
  });

  test('of another executor, for another action, or of a permit never issued, does not count', async () => {
    await settled(settlement(approved, 'failed', { executor: 'downstream' }), 'downstream');
    await settled(settlement(approved, 'failed'), 'downstream');
    await settled(settlement(approved, 'failed', { digest: 'a'.repeat(64) }));
    await settled(settlement(approved, 'failed', { permitId: derivedId('never') }));
    expect(await reservations(campaignLedger)).toEqual(['held 3000']);
  });

  test('undone returns the money, and a touch stays a touch', async () => {
    const [sent] = approvals(await propose(proposed('email.send'))) as [ActionApproved];
    for (const approval of [approved, sent]) {
      await settled(settlement(approval, 'executed'));
      await settled(settlement(approval, 'undone'));
    }
    expect(await reservations(campaignLedger)).toEqual(['released 3000']);
    expect(await reservations(`touch:${contact}`)).toEqual(['committed 1']);
  });

  test('a rejected permit settles nothing', async () => {
    const rejected = {
      permitId: approved.permitId,
      executor: 'action-executor',
      reason: { code: 'spent', detail: 'used before' },
      topic: 'actions.approved.v1',
      partition: 0,
      offset: '1',
      at,
    };
    await service.deliver('actions.settled.action-executor.v1', [{ type: 'PermitRejected', data: rejected }]);
    expect(await reservations(campaignLedger)).toEqual(['held 3000']);
  });

  test('[case 20] that never comes is asked after, and releases nothing by itself', async () => {
    const warned = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const [second] = approvals(await propose(shift(1000, 2))) as [ActionApproved];
    await settled(settlement(second, 'unresolved'));
    // A permit lives for 900 s; its executor has a minute, and is asked after once a minute.
    for (const seconds of [0, 60, 959, 960, 1019, 1020, 3600]) {
      setNow(plus(seconds));
      expect(await service.runJobs()).toEqual([]);
      if (seconds < 960) expect(warned).not.toHaveBeenCalled();
    }
    const { permitId, executor } = approved;
    const warnings = warned.mock.calls.map(([detail]) => detail as string);
    expect(warnings.toSorted()).toEqual(
      [
        `permit ${permitId} expired at ${plus(900)} and ${executor} has not settled it; what it reserved stays held`,
        `permit ${second.permitId} of ${executor} is unresolved: a person decides with \`countersign settle\`; what it reserved stays held`,
      ].toSorted(),
    );
    expect((await reservations(campaignLedger)).toSorted()).toEqual(['held 1000', 'held 3000']);
    expect(await service.query('SELECT kind FROM jobs')).toEqual([{ kind: 'permits-overdue' }]);
  });
});

test('outsiders find the public key, and only that', async () => {
  const response = await service.app.inject({ method: 'GET', url: '/.well-known/jwks.json' });
  expect(response.statusCode).toBe(200);
  expect(readVerifyKeys(response.json()).has('validator-1')).toBe(true);
  expect(response.body).not.toContain(String(jwk.d));
});

test.each([
  ['is not set', undefined],
  ['cannot be read', '/nowhere/key.jwk'],
])('[case 50] it does not start when the signing key %s', async (detail, file) => {
  if (file) process.env.PERMIT_SIGNING_KEY_FILE = file;
  else delete process.env.PERMIT_SIGNING_KEY_FILE;
  await expect(createHarness(GuardrailValidatorModule, spec, { databaseUrl: database.url, at })).rejects.toThrow(
    new RegExp(`PERMIT_SIGNING_KEY_FILE.* ${detail}`),
  );
});

describe('after a restore', () => {
  /** The tables as a copy has them that was made before anything was judged. */
  const forget = () =>
    service.query(
      'TRUNCATE proposals, verdicts, permits, reservations, ledgers, approvals_by_minute, escalations, jobs, inbox, outbox',
    );
  const proposal = (data: ActionProposed) =>
    service.records(topicOf('paid-media-agent'), [{ type: 'ActionProposed', data, correlationid: 'signal-1' }]);

  test('what was approved holds what it reserved before anything is judged, and is not judged again', async () => {
    const records = proposal(shift(3000));
    const events = await service.deliverRecords(topicOf('paid-media-agent'), records);
    const [approved] = approvals(events);
    await forget();
    await service.afterRestore(events);
    expect(await reservations(campaignLedger)).toEqual(['held 3000']);
    // Judged today, it would be refused.
    await publish(content({ rules: { prohibitedKinds: ['ads.shift_budget'] } }), 8);
    expect(await service.deliverRecords(topicOf('paid-media-agent'), records)).toEqual([]);
    expect(await reservations(campaignLedger)).toEqual(['held 3000']);
    await settled(settlement(approved as ActionApproved, 'executed'));
    expect(await reservations(campaignLedger)).toEqual(['committed 3000']);
    // What was noticed twice is taken over once.
    await service.query('TRUNCATE own_events');
    await service.afterRestore(events);
    expect(await reservations(campaignLedger)).toEqual(['committed 3000']);
  });

  test('what was approved within the hour counts against the limit of the hour, once', async () => {
    await publish(content({ charter: { limits: { accountActionsPerHour: 1 } } }), 8);
    const events = await service.deliverRecords(
      topicOf('paid-media-agent'),
      proposal(proposed('ads.pause_campaign', {}, 1)),
    );
    await forget();
    await service.afterRestore(events);
    expect(await service.query('SELECT ledger, approved FROM approvals_by_minute ORDER BY ledger')).toEqual([
      { ledger: 'actions:paid-media-agent', approved: 1 },
      { ledger: 'actions:paid-media-agent:acme', approved: 1 },
      { ledger: 'actions:paid-media-agent:ads-emea', approved: 1 },
    ]);
    expect(refusals(await propose(proposed('ads.pause_campaign', {}, 2)))).toHaveLength(1);
  });

  test('what was refused stays refused, also where it would be approved today', async () => {
    await publish(content({ rules: { prohibitedKinds: ['ads.shift_budget'] } }), 8);
    const records = proposal(shift(3000));
    const events = await service.deliverRecords(topicOf('paid-media-agent'), records);
    expect(refusals(events)).toHaveLength(1);
    await forget();
    await service.afterRestore(events);
    await publish(suggested, 9);
    expect(await service.deliverRecords(topicOf('paid-media-agent'), records)).toEqual([]);
    expect(await reservations(campaignLedger)).toEqual([]);
  });

  test('an escalation that was answered is closed: neither its deadline nor the same answer says anything again', async () => {
    const escalated = proposed('ads.set_bid');
    const records = proposal(escalated);
    const before = await service.deliverRecords(topicOf('paid-media-agent'), records);
    const waiting = { proposalId: escalated.proposalId, digest: digestOf(escalated.action) };
    const answers = service.records('reviews.decided.v1', [{ type: 'ReviewDecided', data: review(waiting) }]);
    const after = await service.deliverRecords('reviews.decided.v1', answers);
    expect(approvals(after)).toHaveLength(1);
    await forget();
    await service.afterRestore([...before, ...after]);
    setNow(plus(30 * 86_400));
    expect(await service.deliverRecords(topicOf('paid-media-agent'), records)).toEqual([]);
    expect(await service.runJobs()).toEqual([]);
    expect(await service.deliverRecords('reviews.decided.v1', answers)).toEqual([]);
    expect(await service.query('SELECT state FROM escalations')).toEqual([{ state: 'approved' }]);
  });

  test('an escalation that nobody had answered waits for its answer as before', async () => {
    const escalated = proposed('ads.set_bid');
    const records = proposal(escalated);
    const events = await service.deliverRecords(topicOf('paid-media-agent'), records);
    await forget();
    await service.afterRestore(events);
    const waiting = { proposalId: escalated.proposalId, digest: digestOf(escalated.action) };
    // The answer may be read first: it waits for its proposal.
    await expect(decide(review(waiting))).rejects.toThrow('not read again yet');
    expect(await service.deliverRecords(topicOf('paid-media-agent'), records)).toEqual([]);
    expect(approvals(await decide(review(waiting)))).toHaveLength(1);
  });
});
