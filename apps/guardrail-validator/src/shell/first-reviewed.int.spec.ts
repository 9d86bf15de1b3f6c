import {
  type ActionApproved,
  type ActionProposed,
  derivedId,
  digestOf,
  type PolicyContent,
  type ReviewDecided,
} from '@countersign/contracts';
import { at, content, permitKeys, policyOf } from '@countersign/gate/testing';
import { type Harness, type Published, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { proposed } from '../core/testing.js';
import { spec } from '../module.js';
import { DecisionsByKind1764600000102 } from './migrations/verdicts.js';
import { signsWith, startPair } from './testing.js';

/* How many actions of a kind people have decided: the agent acts alone only after as many as its charter says. */

const agent = 'paid-media-agent';
const topic = `actions.proposed.${agent}.v1`;
let removeKey: () => void;
let database: TestDatabase;
let instance: Harness;
let other: Harness;

beforeEach(async () => {
  removeKey = signsWith(permitKeys('validator-1').jwk);
  database = await copyTestDatabase(tablesOf(spec));
  [instance, other] = await startPair(database.url);
});
afterEach(async () => {
  await Promise.all([instance?.close(), other?.close()]);
  await database?.close();
  removeKey();
});

const publish = (policy: PolicyContent, version = 7) =>
  instance.putState('policies.v1', 'main', policyOf(policy, version));
const asking = (firstReviewed: number) => content({ charter: { firstReviewed } });
const bid = (n: number) => proposed('ads.set_bid', { bidMinor: 110 }, n);
const pause = (n: number) => proposed('ads.pause_campaign', {}, n);
const records = (to: Harness, proposals: readonly ActionProposed[]) =>
  to.records(
    topic,
    proposals.map((data) => ({ type: 'ActionProposed', data, id: `${data.proposalId} ${digestOf(data.action)}` })),
  );
const propose = (to: Harness, ...proposals: ActionProposed[]) => to.deliverRecords(topic, records(to, proposals));
const answers = (
  to: Harness,
  decision: ReviewDecided['decision'],
  proposals: readonly ActionProposed[],
  action?: ActionProposed['action'],
) =>
  to.deliver(
    'reviews.decided.v1',
    proposals.map((proposal) => ({
      type: 'ReviewDecided' as const,
      data: {
        reviewId: derivedId('review', proposal.proposalId),
        by: 'lea',
        at,
        subject: { kind: 'proposal' as const, id: proposal.proposalId },
        digest: digestOf(proposal.action),
        decision,
        ...(action && { action }),
      },
    })),
  );
const verdicts = (events: readonly Published[]) =>
  events.map(({ data }) => {
    const { outcome, tier, tierBy } = (data as unknown as ActionApproved).verdict;
    return [outcome, tier, tierBy];
  });
const asked = ['escalated', 'suggest', 'first-reviewed'];
const alone = ['approved', 'auto', 'charter'];

describe('an agent acts alone', () => {
  test('with a kind once people have approved, edited or rejected as many of its actions as the charter says', async () => {
    await publish(asking(3));
    const [first, second, third] = [bid(1), bid(2), bid(3)];
    expect(verdicts(await propose(instance, first, second, third))).toEqual([asked, asked, asked]);
    await answers(instance, 'reject', [first]);
    await answers(other, 'approve', [second]);
    expect(verdicts(await propose(instance, bid(4)))).toEqual([asked]);
    const action = {
      ...third.action,
      actionId: derivedId('action', derivedId('review', third.proposalId)),
      payload: { ...third.action.payload, bidMinor: 105 },
    };
    expect(verdicts(await answers(instance, 'edit', [third], action)).at(-1)).toEqual([
      'approved',
      'suggest',
      'first-reviewed',
    ]);
    expect(verdicts(await propose(other, bid(5)))).toEqual([alone]);
    // Of each kind its own.
    expect(verdicts(await propose(instance, pause(6)))).toEqual([asked]);
    const [{ facts } = { facts: {} }] = await instance.query<{ facts: object }>(
      `SELECT facts FROM verdicts WHERE outcome = 'approved' ORDER BY verdict_id DESC LIMIT 1`,
    );
    expect(facts).toMatchObject({ decided: 3 });
  });

  test('not because a deadline passed, and nobody counts where the charter does not ask', async () => {
    await publish(asking(1));
    const first = bid(1);
    await propose(instance, first);
    instance.setNow(new Date(Date.parse(at) + 3 * 3_600_000).toISOString());
    await instance.runJobs();
    const [row] = await instance.query<{ state: string }>('SELECT state FROM escalations');
    expect(row?.state).toBe('expired');
    expect(verdicts(await propose(other, bid(2)))).toEqual([asked]);

    await publish(content(), 8);
    expect(verdicts(await propose(other, bid(3)))).toEqual([alone]);
    const [{ facts } = { facts: {} }] = await instance.query<{ facts: object }>(
      `SELECT facts FROM verdicts WHERE outcome = 'approved'`,
    );
    expect(facts).not.toHaveProperty('decided');
  });

  test('also after a restore, which finds the decisions of before', async () => {
    await publish(asking(1));
    const given = records(instance, [bid(1)]);
    const events = [
      ...(await instance.deliverRecords(topic, given)),
      ...(await answers(instance, 'approve', [bid(1)])),
    ];
    for (const table of ['escalations', 'verdicts', 'reservations', 'permits', 'proposals', 'inbox', 'outbox', 'jobs'])
      await instance.query(`DELETE FROM ${table}`);
    await instance.afterRestore(events);
    expect(await instance.deliverRecords(topic, given)).toEqual([]);
    expect(verdicts(await propose(instance, bid(2)))).toEqual([alone]);
  });

  test('also after an update, which counts what people decided before', async () => {
    await publish(content({ charter: { kinds: { 'ads.set_bid': 'suggest' } } }));
    await propose(instance, bid(1), bid(2));
    await answers(instance, 'approve', [bid(1)]);
    const migration = new DecisionsByKind1764600000102();
    await instance.transaction(async (tx) => {
      const runner = {
        query: async (sql: string) => {
          for (const statement of sql.split(';')) if (statement.trim() !== '') await tx.query(statement);
        },
      } as never;
      await migration.down(runner);
      await migration.up(runner);
    });
    await publish(asking(1), 8);
    expect(verdicts(await propose(instance, bid(3)))).toEqual([alone]);
  });
});
