import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Action,
  type ActionApproved,
  type ActionProposed,
  type ActionSettled,
  derivedId,
  digestOf,
  policyDigests,
  type TaskAssigned,
  type TaskSettled,
} from '@countersign/contracts';
import { RuntimeModule, type Work } from '@countersign/runtime';
import { createHarness, type Harness, type Published, readingToken } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { Injectable, Module } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RulePlanner } from '../core/plan.js';
import { aCampaign, aTask, at, emptied, profilesWith } from '../testing.js';
import { AgentModule, agentSpec } from './agent.module.js';
import type { AgentDefinition, FollowUp, OwnRefusal, OwnSettlement } from './agent-definition.js';
import { readFacts } from './facts.repository.js';
import { PermitsOfProposals1764300000066 } from './migrations/agent-tables.js';
import { questionBook, questionsOf } from './model-calls.js';
import {
  lockProposals,
  notePermits,
  noteSettlements,
  type RememberedProposal,
  storeSettlements,
} from './proposals.repository.js';
import { tokenBudget } from './token-budget.js';

/** Raises the bid of `cmp-a` by ten percent, and declines where the facts lack it. */
const rules: RulePlanner = {
  name: 'test rules',
  plan: (task, facts) => {
    const bid = facts.adAccount?.campaigns.find((c) => c.campaignId === 'cmp-a')?.bidMinor;
    if (bid === undefined) return { proposals: [], declined: 'facts unclear' };
    return {
      proposals: [
        {
          kind: 'ads.set_bid',
          payload: { adAccountId: 'ads-1', campaignId: 'cmp-a', bidMinor: bid + bid / 10, currency: 'EUR' },
          rationale: 'ten percent more',
          evidence: task.evidence,
          confidence: 0.5,
          alternatives: [],
        },
      ],
    };
  },
};

@Injectable()
class Follow implements FollowUp {
  static refusals: OwnRefusal[] = [];
  static settlements: OwnSettlement[] = [];
  static unsettled: RememberedProposal[] = [];
  async refused(refusals: readonly OwnRefusal[]): Promise<void> {
    Follow.refusals.push(...refusals);
  }
  async settled(settlements: readonly OwnSettlement[]): Promise<void> {
    Follow.settlements.push(...settlements);
  }
  async unsettled(proposals: readonly RememberedProposal[]): Promise<void> {
    Follow.unsettled.push(...proposals);
  }
}

const agent: AgentDefinition = {
  name: 'paid-media-agent',
  kinds: ['ads.set_bid', 'ads.shift_budget'],
  rules,
  followUp: Follow,
};
const spec = agentSpec(agent);
@Module({ imports: [RuntimeModule.of(spec), AgentModule.register(agent)] })
class TestAgentModule {}

const { headers, remove } = readingToken();
let database: TestDatabase;
let service: Harness;

async function start(): Promise<void> {
  service = await createHarness(TestAgentModule, spec, { databaseUrl: database.url, at });
  for (const [key, { data }] of profilesWith([aCampaign('cmp-a', 100, 300)]))
    await service.putState('profiles.v1', key, data);
  const content = {
    charters: [],
    plays: [],
    sequences: [],
    rules: {
      permitSeconds: 60,
      contactFrequency: { touches: 1, days: 1 },
      firstTouchNeedsPerson: [],
      prohibitedKinds: [],
      creativeNeedsPerson: true,
      maxProposalBytes: 10_000,
    },
    routes: [{ kinds: ['ads.set_bid' as const], executor: 'action-executor', connector: 'ads' }],
  };
  const policy = { version: 1, changedAt: at, bundle: 'main', ...policyDigests(content), by: 'dana', content };
  await service.putState('policies.v1', 'main', policy);
}

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  Follow.refusals = [];
  Follow.settlements = [];
  Follow.unsettled = [];
  for (const name of ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_MODEL']) vi.stubEnv(name, '');
});
afterEach(async () => {
  await service?.query(emptied());
  await service?.close();
  vi.unstubAllEnvs();
});
afterAll(async () => {
  remove();
  await database?.close();
});

const assign = (...tasks: TaskAssigned[]): Promise<Published[]> =>
  service.deliver(
    'tasks.assigned.v1',
    tasks.map((data) => ({ type: 'TaskAssigned', data, correlationid: 'signal-3' })),
  );
const settledOf = (events: readonly Published[]): TaskSettled[] =>
  events.filter((e) => e.type === 'TaskSettled').map((e) => e.data as TaskSettled);
const proposedOf = (events: readonly Published[]): ActionProposed[] =>
  events.filter((e) => e.type === 'ActionProposed').map((e) => e.data as ActionProposed);
test('facts hold the campaigns of the ad account and of no other, three hundred of them and that of the task', async () => {
  await start();
  const add = (prefix: string, last: number) =>
    service.query(
      `INSERT INTO state_rows (topic, key, version, data, read_at)
       SELECT 'profiles.v1', 'campaign:' || $1 || ' c-' || n, 1, jsonb_build_object('kind', 'campaign', 'version', 1, 'currency', 'EUR',
         'status', 'active', 'days', '[]'::jsonb, 'adAccountId', $1::text, 'campaignId', 'c-' || n), now() FROM generate_series(1000, $2::int) n`,
      [prefix, last],
    );
  for (const other of ['ads-1!', 'ads-1-more', 'ads-10', 'ADS-1', 'ads', '%']) await add(other, 1_001);
  await add('ads-1', 1_999);
  const task = aTask({ settings: { adAccountId: 'ads-1', campaignId: 'c-1900' } });
  const read = (await service.transaction((tx) => readFacts(tx, [task]))).get(task.taskId);
  expect(read?.ok && read.facts.adAccount?.campaigns.map((c) => c.campaignId)).toEqual([
    ...Array.from({ length: 300 }, (_, n) => `c-${1_000 + n}`),
    'c-1900',
  ]);
});

const listed = async (query = ''): Promise<{ proposalId: string; state: string; outcome: unknown }[]> =>
  (await service.app.inject({ url: `/proposals${query}`, headers })).json().proposals;

const settlement = (proposalId: string, action: Action, more: object = {}) => ({
  type: 'ActionSettled',
  data: {
    permitId: derivedId('permit', proposalId),
    actionId: action.actionId,
    proposalId,
    digest: digestOf(action),
    executor: 'action-executor',
    connector: 'ads',
    outcome: 'executed',
    at,
    ...more,
  },
});
const editOf = (proposal: ActionProposed) => {
  const edited: Action = {
    ...proposal.action,
    actionId: derivedId('action', 'review'),
    payload: { ...proposal.action.payload, bidMinor: 210 },
  };
  const data = {
    reviewId: derivedId('review'),
    subject: { kind: 'proposal', id: proposal.proposalId },
    digest: digestOf(proposal.action),
    decision: 'edit',
    action: edited,
    by: 'lea',
    at,
  };
  return { edited, review: { type: 'ReviewDecided', data } };
};
const refusal = ({ proposalId, action, taskId, play }: ActionProposed, more: object = {}) => ({
  type: 'ActionRefused',
  data: {
    proposalId,
    actionId: action.actionId,
    taskId,
    agent: agent.name,
    play,
    digest: digestOf(action),
    kind: action.kind,
    verdict: {
      outcome: 'refused',
      reasons: [
        { rule: 'author', outcome: 'pass', detail: 'fine' },
        { rule: 'spend-cap', outcome: 'refuse', detail: 'EUR 20.00 over' },
      ],
      tier: null,
      policy: { version: 1, digest: null },
      at,
    },
    ...more,
  },
});
/** The approval of a proposal, or of the action that a person put in its place. */
const approval = ({ proposalId, action, taskId, play }: ActionProposed, more: object = {}) => ({
  type: 'ActionApproved',
  data: {
    proposalId,
    actionId: action.actionId,
    taskId,
    agent: agent.name,
    play,
    digest: digestOf(action),
    verdict: { outcome: 'approved', reasons: [], tier: 'auto', policy: { version: 1, digest: null }, at },
    action,
    permit: 'a.b.c',
    permitId: derivedId('permit', proposalId),
    executor: 'action-executor',
    connector: 'ads',
    notBefore: at,
    expiresAt: at,
    reservations: [],
    ...more,
  },
});
const approve = (...approvals: ReturnType<typeof approval>[]) => service.deliver('actions.approved.v1', approvals);
/** A proposal of a task of its own, approved where nothing else is said. */
async function oneProposal({ approved = true } = {}): Promise<ActionProposed> {
  const [proposal] = proposedOf(await assign(aTask()));
  if (!proposal) throw new Error('no proposal');
  if (approved) await approve(approval(proposal));
  return proposal;
}
const settledTopic = 'actions.settled.action-executor.v1';

describe('by rules', () => {
  beforeEach(start);

  test('every task of its own is answered once, proposals first, in the chain of the signal', async () => {
    const other = aTask({ agent: 'sequencing-agent' });
    const out = await assign(aTask(), other, aTask({ settings: {} }));
    expect(out.map((e) => [e.topic, e.key, e.correlationid])).toEqual([
      ['actions.proposed.paid-media-agent.v1', 'ads-1', 'signal-3'],
      ['tasks.settled.paid-media-agent.v1', 'acme', 'signal-3'],
      ['tasks.settled.paid-media-agent.v1', 'acme', 'signal-3'],
    ]);
    expect(settledOf(out).map((s) => [s.outcome, s.reason])).toEqual([
      ['proposed', 'proposed ads.set_bid'],
      ['declined', 'facts unclear'],
    ]);
  });

  test('a redelivered task publishes the same bytes; the same task under another event is not answered again', async () => {
    const records = service.records('tasks.assigned.v1', [{ type: 'TaskAssigned', data: aTask(), id: 'assigned-1' }]);
    const first = await service.deliverRecords('tasks.assigned.v1', records);
    expect(first).toHaveLength(2);
    expect(await service.deliverRecords('tasks.assigned.v1', records)).toEqual(first);
    expect(await assign(aTask())).toEqual([]);
    expect(await assign(aTask(), aTask())).toEqual([]);
    expect(await listed()).toHaveLength(1);
  });

  test('an agent without a model says nothing of one', async () => {
    const [settled] = settledOf(await assign(aTask()));
    expect(settled).toMatchObject({ outcome: 'proposed' });
    expect(settled).not.toHaveProperty('model');
  });

  test('a task whose due time has passed is declined as late', async () => {
    const out = await assign(aTask({ dueAt: '2026-11-21T09:59:59.999Z' }));
    expect(out.map((e) => e.type)).toEqual(['TaskSettled']);
    expect(settledOf(out)[0]).toMatchObject({ outcome: 'declined', reason: 'deadline passed' });
  });

  test('a refusal is remembered with its reasons', async () => {
    const [proposal] = proposedOf(await assign(aTask()));
    if (!proposal) throw new Error('no proposal');
    const { proposalId } = proposal;
    const other = refusal({ ...proposal, proposalId: derivedId('other') }, { agent: 'sequencing-agent' });
    await service.deliver('actions.refused.v1', [refusal(proposal), other]);
    expect(await listed('?state=refused')).toMatchObject([
      { proposalId, outcome: { reasons: [{ rule: 'spend-cap', detail: 'EUR 20.00 over' }] } },
    ]);
    expect(Follow.refusals.map((r) => r.proposal.proposalId)).toEqual([proposalId]);
  });

  test('a refusal that is read after a settlement does not hide it: a person edited the action, and the edit ran', async () => {
    const proposal = await oneProposal();
    await service.deliver(settledTopic, [settlement(proposal.proposalId, proposal.action)]);
    await service.deliver('actions.refused.v1', [refusal(proposal, { supersededBy: derivedId('action', 'review') })]);
    expect(await listed()).toMatchObject([{ state: 'executed' }]);
  });

  test('a settlement is remembered, and followed with the action that ran', async () => {
    const proposal = await oneProposal();
    const { proposalId, action } = proposal;
    await service.deliver(settledTopic, [settlement(proposalId, action), settlement(derivedId('other'), action)]);
    expect(await listed()).toMatchObject([{ proposalId, state: 'executed' }]);
    expect(Follow.settlements.map((s) => s.action)).toEqual([action]);
    await service.deliver(settledTopic, [settlement(proposalId, action, { outcome: 'undone' })]);
    expect(await listed()).toMatchObject([{ proposalId, state: 'undone' }]);
  });

  test('the one end of a permit stands, whatever its executor says later, and is followed once', async () => {
    const proposal = await oneProposal();
    const { proposalId, action } = proposal;
    const settleAs = (...outcomes: ActionSettled['outcome'][]) =>
      service.deliver(
        settledTopic,
        outcomes.map((outcome, n) =>
          settlement(proposalId, action, { outcome, at: new Date(Date.parse(at) + n * 1000).toISOString() }),
        ),
      );
    await settleAs('unresolved', 'executed', 'failed', 'unresolved', 'executed');
    expect(await listed()).toMatchObject([{ state: 'executed', outcome: { outcome: 'executed' } }]);
    for (const later of ['failed', 'refused', 'expired', 'unresolved', 'executed'] as const) await settleAs(later);
    expect(await listed()).toMatchObject([{ state: 'executed', outcome: { outcome: 'executed' } }]);
    await settleAs('undone', 'executed', 'failed');
    expect(await listed()).toMatchObject([{ state: 'undone', outcome: { outcome: 'undone' } }]);
    expect(Follow.settlements.map((s) => s.settled.outcome)).toEqual(['unresolved', 'executed', 'undone']);
  });

  test('what was said of other bytes does not stand in the way of the settlement of the action itself', async () => {
    const proposal = await oneProposal();
    const { proposalId, action } = proposal;
    await service.deliver(settledTopic, [
      settlement(proposalId, action, { digest: 'a'.repeat(64), outcome: 'failed' }),
      settlement(proposalId, action),
    ]);
    expect(await listed()).toMatchObject([{ state: 'executed' }]);
    expect(Follow.settlements.map((s) => s.settled.outcome)).toEqual(['executed']);
  });

  test('a proposal of which nothing is heard ends in a bounded time, with the reason; a word that comes later counts', async () => {
    const proposal = await oneProposal();
    const { proposalId, action } = proposal;
    // A start makes the first job; the tables of these tests are emptied.
    const look = async (now: string) => {
      service.setNow(now);
      await service.query(
        `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
         VALUES ('unsettled-proposals', 'first', '1970-01-01Z', '{}', '{}', now()) ON CONFLICT DO NOTHING`,
      );
      await service.runJobs();
    };
    // Seven days for a person, one for the permit.
    await look('2026-11-29T10:00:00.000Z');
    expect(await listed()).toMatchObject([{ proposalId, state: 'proposed' }]);
    await look('2026-11-29T11:00:01.000Z');
    const detail = 'it was neither refused nor settled in the time in which it must have ended';
    expect(await listed('?state=unsettled')).toMatchObject([{ proposalId, outcome: { detail } }]);
    expect(Follow.unsettled.map((p) => p.proposalId)).toEqual([proposalId]);
    await look('2026-11-29T13:00:00.000Z');
    expect(Follow.unsettled).toHaveLength(1);
    await service.deliver(settledTopic, [settlement(proposalId, action)]);
    expect(await listed()).toMatchObject([{ proposalId, state: 'executed' }]);
  });

  test.each([
    ['before', true],
    ['after', false],
  ])(
    'a settlement counts only with the permit, the executor and the digest of the approval, read %s it, whoever settles first',
    async (_name, approvedFirst) => {
      const proposal = await oneProposal({ approved: approvedFirst });
      const { proposalId, action } = proposal;
      const other = { executor: 'downstream', outcome: 'failed' };
      await service.deliver('actions.settled.downstream.v1', [
        settlement(proposalId, action, other),
        settlement(proposalId, action, { outcome: 'failed' }),
      ]);
      await service.deliver(settledTopic, [
        settlement(proposalId, action, other),
        settlement(proposalId, action, { digest: 'a'.repeat(64), outcome: 'failed' }),
        settlement(proposalId, action, { permitId: derivedId('another permit'), outcome: 'failed' }),
      ]);
      expect(await listed()).toMatchObject([{ proposalId, state: 'proposed' }]);
      await service.deliver(settledTopic, [
        settlement(proposalId, action, { outcome: 'unresolved' }),
        settlement(proposalId, action),
        settlement(proposalId, action, { outcome: 'failed' }),
      ]);
      if (!approvedFirst) {
        expect(await listed()).toMatchObject([{ proposalId, state: 'proposed' }]);
        expect(Follow.settlements).toEqual([]);
        // Of each executor one, however much it says.
        expect(await service.query('SELECT executor FROM settlements ORDER BY 1')).toEqual([
          { executor: 'action-executor' },
          { executor: 'downstream' },
        ]);
        await approve(approval(proposal));
      }
      expect(await listed()).toMatchObject([{ proposalId, state: 'executed' }]);
      expect(Follow.settlements.at(-1)).toMatchObject({ action, settled: { outcome: 'executed' } });
      expect(await service.query('SELECT * FROM settlements')).toEqual([]);
      await approve(approval(proposal, { executor: 'downstream' }));
      await service.deliver('actions.settled.downstream.v1', [
        settlement(proposalId, action, { ...other, outcome: 'undone' }),
      ]);
      expect(await listed()).toMatchObject([{ proposalId, state: 'executed' }]);
    },
  );

  test('a settlement counts from the executor that the approval names when the policy routes elsewhere by then', async () => {
    const proposal = await oneProposal({ approved: false });
    const { proposalId, action } = proposal;
    await approve(approval(proposal, { executor: 'downstream' }));
    await service.deliver(settledTopic, [settlement(proposalId, action, { outcome: 'failed' })]);
    await service.deliver('actions.settled.downstream.v1', [
      settlement(proposalId, action, { executor: 'downstream' }),
    ]);
    expect(await listed()).toMatchObject([{ proposalId, state: 'executed' }]);
    expect(Follow.settlements.map((s) => s.settled.executor)).toEqual(['downstream']);
  });

  test('of an approval the ids, the executor and the digest are kept, and of that of another agent nothing, not even its id', async () => {
    const proposal = await oneProposal();
    const { edited } = editOf(proposal);
    const foreign = { ...proposal, proposalId: derivedId('theirs'), action: edited };
    await approve(approval(foreign, { agent: 'sequencing-agent' }));
    await service.deliver(settledTopic, [settlement(foreign.proposalId, edited)]);
    expect(
      await service.query('SELECT permit_id, permit_executor AS executor, permit_digest AS digest FROM proposals'),
    ).toEqual([
      {
        permit_id: derivedId('permit', proposal.proposalId),
        executor: 'action-executor',
        digest: digestOf(proposal.action),
      },
    ]);
    const tables = await service.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`,
    );
    expect(tables.map(({ name }) => name)).toContain('settlements');
    for (const { name } of tables) {
      const rows = JSON.stringify(await service.query(`SELECT * FROM "${name}"`));
      expect([name, rows.includes(foreign.proposalId), rows.includes(edited.actionId)]).toEqual([name, false, false]);
    }
    // Of its own it keeps the action once: as it was proposed.
    const inbox = await service.query(`SELECT * FROM inbox WHERE topic = 'actions.approved.v1'`);
    expect(inbox).toHaveLength(1);
  });

  test('a settlement that waits for an approval is forgotten when the broker has no such approval any more', async () => {
    const proposal = await oneProposal({ approved: false });
    await service.deliver(settledTopic, [settlement(proposal.proposalId, proposal.action)]);
    const look = async (now: string) => {
      service.setNow(now);
      await service.query(
        `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
         VALUES ('unsettled-proposals', $1, '1970-01-01Z', '{}', '{}', now())`,
        [now],
      );
      await service.runJobs();
      return service.query('SELECT executor FROM settlements');
    };
    expect(await look('2026-12-21T09:59:59.000Z')).toHaveLength(1);
    expect(await look('2026-12-21T10:00:01.000Z')).toEqual([]);
  });

  describe('what was taken before approvals were read', () => {
    const upgrade = async () => {
      const migration = new PermitsOfProposals1764300000066();
      const runner = { query: service.query } as never;
      await migration.down(runner);
      await migration.up(runner);
    };

    test('stands, and goes on, also where its approval is no longer on the topic', async () => {
      const proposal = await oneProposal();
      const { proposalId, action } = proposal;
      await service.deliver(settledTopic, [settlement(proposalId, action, { outcome: 'unresolved' })]);
      await upgrade();
      expect(await listed()).toMatchObject([{ proposalId, state: 'unresolved' }]);
      await service.deliver(settledTopic, [settlement(proposalId, action)]);
      expect(await listed()).toMatchObject([{ proposalId, state: 'executed' }]);
      await approve(approval(proposal));
      await service.deliver(settledTopic, [settlement(proposalId, action, { outcome: 'undone' })]);
      expect(await listed()).toMatchObject([{ proposalId, state: 'undone' }]);
    });

    test('gives way to what its own executor says, once its approval turns out to name another one', async () => {
      const proposal = await oneProposal();
      const { proposalId, action } = proposal;
      await service.deliver(settledTopic, [settlement(proposalId, action, { outcome: 'failed' })]);
      await upgrade();
      await service.deliver('actions.settled.downstream.v1', [
        settlement(proposalId, action, { executor: 'downstream' }),
      ]);
      expect(await listed()).toMatchObject([{ proposalId, state: 'failed' }]);
      await approve(approval(proposal, { executor: 'downstream' }));
      expect(await listed()).toMatchObject([{ proposalId, state: 'executed', outcome: { executor: 'downstream' } }]);
    });

    test('is no end where its approval names another executor, and nothing is heard of that one', async () => {
      const proposal = await oneProposal();
      await service.deliver(settledTopic, [settlement(proposal.proposalId, proposal.action)]);
      await upgrade();
      await approve(approval(proposal, { executor: 'downstream' }));
      expect(await listed()).toMatchObject([{ state: 'proposed', outcome: null }]);
    });

    test('is not there for a proposal that was open: its approval is read', async () => {
      const proposal = await oneProposal();
      await upgrade();
      await service.deliver(settledTopic, [settlement(proposal.proposalId, proposal.action)]);
      expect(await listed()).toMatchObject([{ state: 'proposed' }]);
      await approve(approval(proposal));
      expect(await listed()).toMatchObject([{ state: 'executed' }]);
    });
  });

  test.each([
    ['edit', 'approval', 'settlement'],
    ['edit', 'settlement', 'approval'],
    ['approval', 'edit', 'settlement'],
    ['approval', 'settlement', 'edit'],
    ['settlement', 'edit', 'approval'],
    ['settlement', 'approval', 'edit'],
  ] as const)("a person's edit is followed once, with the edited action: %s, %s, %s", async (...order) => {
    const proposal = await oneProposal({ approved: false });
    const { edited, review } = editOf(proposal);
    const outcome = order[0] === 'settlement' ? 'refused' : 'executed';
    const read = {
      edit: () => service.deliver('reviews.decided.v1', [review]),
      approval: () => approve(approval({ ...proposal, action: edited })),
      settlement: () =>
        service.deliver(settledTopic, [
          settlement(proposal.proposalId, proposal.action, { outcome: 'failed' }),
          settlement(proposal.proposalId, edited, { outcome }),
        ]),
    };
    for (const topicName of order) {
      expect(Follow.settlements).toEqual([]);
      await read[topicName]();
    }
    expect(Follow.settlements.map((s) => [s.action, s.settled.outcome])).toEqual([[edited, outcome]]);
  });

  test.each([
    ['an edit', 'reviews.decided.v1'],
    ['an approval', 'actions.approved.v1'],
  ])('%s that is read at the very time of its settlement waits for it, and is followed', async (_name, topic) => {
    const proposal = await oneProposal({ approved: false });
    const { edited, review } = editOf(proposal);
    const approved = approval({ ...proposal, action: edited });
    const isEdit = topic === 'reviews.decided.v1';
    await (isEdit ? approve(approved) : service.deliver('reviews.decided.v1', [review]));
    const settled = settlement(proposal.proposalId, edited).data as ActionSettled;
    let read: Promise<unknown> = Promise.resolve();
    await service.transaction(async (tx) => {
      const known = await lockProposals(tx, [settled.proposalId]);
      if (isEdit) noteSettlements(tx, [{ settled }], known, at);
      else storeSettlements(tx, [settled], at);
      await tx.query('SELECT');
      let over = false;
      read = service.deliver(topic, [isEdit ? review : approved]).finally(() => {
        over = true;
      });
      const waiting = () => service.query('SELECT 1 FROM pg_locks WHERE NOT granted');
      while (!over && (await waiting()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    });
    await read;
    expect(Follow.settlements.map((s) => s.action)).toEqual([edited]);
  });

  test('a settlement that is read at the very time of its approval waits for it, and counts', async () => {
    const proposal = await oneProposal({ approved: false });
    const { proposalId, action } = proposal;
    let read: Promise<unknown> = Promise.resolve();
    await service.transaction(async (tx) => {
      notePermits(tx, [approval(proposal).data as ActionApproved], await lockProposals(tx, [proposalId]), at);
      await tx.query('SELECT');
      let over = false;
      read = service.deliver(settledTopic, [settlement(proposalId, action)]).finally(() => {
        over = true;
      });
      const waiting = () => service.query('SELECT 1 FROM pg_locks WHERE NOT granted');
      while (!over && (await waiting()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    });
    await read;
    expect(Follow.settlements.map((s) => s.action)).toEqual([action]);
  });

  test('the page of proposals names a bad query', async () => {
    const response = await service.app.inject({ url: '/proposals?state=lost', headers });
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ status: 400, field: 'state' });
    expect((await service.app.inject({ url: '/proposals?offset=1', headers })).json()).toMatchObject({
      field: 'offset',
    });
  });
});

describe('by a model', () => {
  let server: Server;
  let asked: number;
  let respond: (response: ServerResponse) => void;

  beforeEach(async () => {
    asked = 0;
    server = createServer((request, response) => {
      asked++;
      request.resume().on('end', () => respond(response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('OPENAI_BASE_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
    vi.stubEnv('OPENAI_API_KEY', 'a key for a test');
    vi.stubEnv('OPENAI_MODEL', 'a-model');
    respond = (response) => {
      const payload = { adAccountId: 'ad-account', campaignId: 'campaign-1', bidMinor: 205, currency: 'EUR' };
      const proposal = {
        kind: 'ads.set_bid',
        payload,
        rationale: 'a little',
        evidence: [1],
        confidence: 0.4,
        alternatives: [],
      };
      const content = JSON.stringify({ proposals: [proposal], declined: null });
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
          usage: { total_tokens: 120 },
        }),
      );
    };
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('a task is planned in a job and answered once, and the question is counted', async () => {
    await start();
    expect(await assign(aTask())).toEqual([]);
    const out = await service.runJobs();
    expect(out.map((e) => [e.type, e.correlationid])).toEqual([
      ['ActionProposed', 'signal-3'],
      ['TaskSettled', 'signal-3'],
    ]);
    expect(proposedOf(out)[0]).toMatchObject({
      planner: { kind: 'model', name: 'a-model' },
      lineage: 'trusted',
      action: { payload: { campaignId: 'cmp-a', bidMinor: 205 } },
    });
    expect(await assign(aTask())).toEqual([]);
    expect(await service.runJobs()).toEqual([]);
    expect(asked).toBe(1);
    const budgets = await service.query('SELECT held, used FROM token_budgets');
    expect(budgets).toEqual([{ held: 0, used: 120 }]);
  });

  describe('the settlement of a task says what its answer took of the model', () => {
    /** As the server of these tests, with another `usage`. */
    const answerWith =
      (usage: object | undefined, content = JSON.stringify({ proposals: [], declined: 'no need' })) =>
      (response: ServerResponse): void => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ choices: [{ index: 0, finish_reason: 'stop', message: { content } }], usage }));
      };
    const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
    const model = async () => settledOf(await service.runJobs()).map((settled) => settled.model);
    const known = { name: 'a-model', calls: 1, unknownCalls: 0, inputTokens: 100, outputTokens: 20 };
    const unknown = { name: 'a-model', calls: 1, unknownCalls: 1, inputTokens: 0, outputTokens: 0 };
    /** As after a crash: the job is due again. */
    const again = () => service.query('UPDATE jobs SET lease_until = NULL, due_at = created_at');
    const losing = (table: string) =>
      service.transaction(async (tx) => {
        await tx.query(`CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'lost'; END $$`);
        await tx.query(`CREATE TRIGGER lose BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION lose()`);
      });
    const mended = () => service.query('DROP FUNCTION lose() CASCADE');

    test('also where the model declines', async () => {
      await start();
      respond = answerWith(usage);
      await assign(aTask());
      const [settled] = settledOf(await service.runJobs());
      expect(settled).toMatchObject({ outcome: 'declined', model: known });
    });

    test('where the server says nothing of tokens they are unknown, not zero', async () => {
      await start();
      respond = answerWith(undefined);
      await assign(aTask());
      expect(await model()).toEqual([unknown]);
    });

    test('also where the rules plan in the end: every question counts', async () => {
      await start();
      respond = answerWith(usage, 'Sure!');
      await assign(aTask());
      expect(await model()).toEqual([{ ...known, calls: 2, inputTokens: 200, outputTokens: 40 }]);
    });

    test('what was asked before a crash is not lost, and what is kept is not counted again', async () => {
      await start();
      respond = answerWith(usage);
      await assign(aTask());
      // The model answered, and the plan was lost: the job asks again.
      await losing('plans');
      expect(await service.runJobs()).toEqual([]);
      await mended();
      await again();
      // The plan is kept, and the answer was lost: the job does not ask again.
      await losing('tasks');
      expect(await service.runJobs()).toEqual([]);
      await mended();
      await again();
      expect(await model()).toEqual([{ ...known, calls: 2, inputTokens: 200, outputTokens: 40 }]);
      expect(asked).toBe(2);
    });

    test('a question whose end was lost with its process is a call of unknown tokens', async () => {
      await start();
      respond = answerWith(usage);
      await assign(aTask());
      await losing('plans');
      expect(await service.runJobs()).toEqual([]);
      await mended();
      await again();
      await service.query(
        'UPDATE questions SET calls = NULL, unknown_calls = NULL, input_tokens = NULL, output_tokens = NULL',
      );
      expect(await model()).toEqual([{ ...known, calls: 2, unknownCalls: 1 }]);
    });

    test('a deadline that passes after a question does not hide it', async () => {
      await start();
      respond = answerWith(usage);
      await assign(aTask());
      await losing('plans');
      expect(await service.runJobs()).toEqual([]);
      await mended();
      await again();
      service.setNow('2026-11-21T10:30:00.001Z');
      expect(settledOf(await service.runJobs())).toMatchObject([{ reason: 'deadline passed', model: known }]);
    });

    test('a model that was not called took nothing', async () => {
      vi.stubEnv('MODEL_TOKENS_PER_DAY', '100');
      await start();
      await assign(aTask());
      expect(await model()).toEqual([{ ...known, calls: 0, inputTokens: 0, outputTokens: 0 }]);
    });

    test('no question is begun once the task has its answer, so none is missing in it', async () => {
      await start();
      respond = answerWith(usage);
      const task = aTask();
      await assign(task);
      const context = {
        transaction: <R>(fn: (work: Work) => Promise<R>) => service.transaction((tx) => fn({ tx, at } as Work)),
      };
      const book = questionBook(context, task.taskId, 'a-model');
      // Whoever answers holds the task's row; a question that comes meanwhile waits, and is not begun after it.
      let begun: Promise<string | undefined> | undefined;
      await service.transaction(async (tx) => {
        expect(await questionsOf(tx, task.taskId)).toEqual([]);
        begun = book.begin();
        await vi.waitFor(async () =>
          expect(
            await service.query(
              `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INTO questions%'`,
            ),
          ).toHaveLength(1),
        );
        await tx.query('UPDATE tasks SET answered_at = $2 WHERE task_id = $1', [task.taskId, at]);
      });
      expect(await begun).toBeUndefined();
      expect(await service.query('SELECT 1 FROM questions')).toEqual([]);
    });
  });

  test('a job that is repeated after its plan was kept does not ask again and answers the same', async () => {
    await start();
    await assign(aTask());
    // As after a crash between the plan and the answer: the plan is kept, the task has no answer, the lease has run out.
    await service.transaction(async (tx) => {
      await tx.query(`CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'lost'; END $$`);
      await tx.query(`CREATE TRIGGER lose BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION lose()`);
    });
    expect(await service.runJobs()).toEqual([]);
    await service.query('DROP FUNCTION lose() CASCADE');
    await service.query('UPDATE jobs SET lease_until = NULL, due_at = created_at');
    respond = (response) => response.destroy();
    const out = await service.runJobs();
    expect(proposedOf(out)).toMatchObject([{ planner: { kind: 'model' }, action: { payload: { bidMinor: 205 } } }]);
    expect(settledOf(out)).toHaveLength(1);
    expect(asked).toBe(1);
  });

  test('where the model fails the rules plan, and the proposal and the settlement say so', async () => {
    await start();
    respond = (response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"secret text"}}');
    };
    await assign(aTask());
    const out = await service.runJobs();
    const fallback = "the model's server answered HTTP 400";
    expect(proposedOf(out)).toMatchObject([
      { planner: { kind: 'rules', name: 'test rules', fallback }, action: { payload: { bidMinor: 220 } } },
    ]);
    expect(settledOf(out)[0]?.reason).toBe(`proposed ads.set_bid; planned by rules because ${fallback}`);
    expect(JSON.stringify(out)).not.toContain('secret');
  });

  test('an answer that is none does not repeat the job, and nothing stays held', async () => {
    await start();
    respond = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('null');
    };
    await assign(aTask());
    const fallback = "the model's server answered without a message";
    expect(proposedOf(await service.runJobs())).toMatchObject([{ planner: { kind: 'rules', fallback } }]);
    expect(asked).toBe(1);
    expect(await service.query('SELECT held FROM token_budgets')).toEqual([{ held: 0 }]);
    expect(await service.query('SELECT * FROM jobs')).toEqual([]);
  });

  test('a plan whose words no store holds as they are is kept with those in their place', async () => {
    vi.stubEnv('OPENAI_MODEL', `${'m'.repeat(119)}😀`);
    await start();
    const good = respond;
    respond = (response) => {
      const end = response.end.bind(response);
      response.end = ((body: string) => end(body.replace('a little', '\\\\u0000\\\\ud800'))) as typeof response.end;
      good(response);
    };
    await assign(aTask());
    expect(proposedOf(await service.runJobs())).toMatchObject([
      {
        planner: { kind: 'model', name: `${'m'.repeat(119)}\ufffd` },
        rationale: expect.stringContaining('\ufffd\ufffd'),
      },
    ]);
  });

  test('a spent budget asks nothing', async () => {
    vi.stubEnv('MODEL_TOKENS_PER_DAY', '100');
    await start();
    await assign(aTask());
    const out = await service.runJobs();
    expect(proposedOf(out)[0]?.planner.fallback).toBe("the day's token budget is spent");
    expect(asked).toBe(0);
    expect(await service.query('SELECT held, used FROM token_budgets')).toEqual([{ held: 0, used: 0 }]);
  });

  test('of reservations at once exactly as many are granted as the budget holds, and settled ones make room', async () => {
    await start();
    const context = {
      transaction: <R>(fn: (work: Work) => Promise<R>) => service.transaction((tx) => fn({ tx } as Work)),
    };
    const budget = tokenBudget(context, '2026-11-21', 70);
    const granted = await Promise.all(Array.from({ length: 20 }, () => budget.reserve(10)));
    expect(granted.filter(Boolean)).toHaveLength(7);
    await budget.settle(10, 4);
    expect([await budget.reserve(7), await budget.reserve(6)]).toEqual([false, true]);
    expect(await tokenBudget(context, '2026-11-22', 70).reserve(70)).toBe(true);
    expect(await service.query('SELECT held, used FROM token_budgets ORDER BY day')).toEqual([
      { held: 66, used: 4 },
      { held: 70, used: 0 },
    ]);
  });

  test('a late task is declined without a question', async () => {
    await start();
    await assign(aTask());
    service.setNow('2026-11-21T10:30:00.001Z');
    expect(settledOf(await service.runJobs())).toMatchObject([{ outcome: 'declined', reason: 'deadline passed' }]);
    expect(asked).toBe(0);
    expect(settledOf(await assign(aTask({ purpose: 'late at once' })))).toMatchObject([{ reason: 'deadline passed' }]);
  });

  test('a service that stops leaves the task to the next start', async () => {
    await start();
    await assign(aTask());
    let open = false;
    const answerNow = respond;
    respond = () => {
      open = true;
    };
    const running = service.runJobs();
    await vi.waitFor(() => expect(open).toBe(true), { timeout: 20_000 });
    await service.app.close();
    expect(await running).toEqual([]);
    expect(await service.query('SELECT 1 FROM jobs WHERE lease_until IS NULL')).toHaveLength(1);
    await service.close();
    respond = answerNow;
    await start();
    service.setNow('2026-11-21T10:00:02.000Z');
    expect(proposedOf(await service.runJobs())).toMatchObject([{ planner: { kind: 'model' } }]);
  });
});
