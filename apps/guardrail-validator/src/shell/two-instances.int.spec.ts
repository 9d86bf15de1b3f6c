import type { ActionApproved, ActionProposed, ActionSettled, Verdict } from '@countersign/contracts';
import { adAccountLedger, at, campaignLedger, content, permitKeys, policyOf } from '@countersign/gate/testing';
import { type Harness, type Published, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { proposed } from '../core/testing.js';
import { spec } from '../module.js';
import { signsWith, startPair } from './testing.js';
import { Store } from './verdicts.repository.js';

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
  vi.restoreAllMocks();
  await Promise.all([instance?.close(), other?.close()]);
  await database?.close();
  removeKey();
});

const tight = content({ charter: { limits: { adAccountSpendPerDayMinor: 7000, approvalAbovePercent: 100 } } });
const publish = (policy: Parameters<typeof policyOf>[0], version: number) =>
  instance.putState('policies.v1', 'main', policyOf(policy, version));

const shift = (n: number): ActionProposed => proposed('ads.shift_budget', { amountMinor: 1000 }, n);
const propose = (to: Harness, ...proposals: ActionProposed[]) =>
  to.deliver(
    'actions.proposed.paid-media-agent.v1',
    proposals.map((data) => ({ type: 'ActionProposed', data, id: data.proposalId })),
  );
const verdictOf = (events: readonly { data: unknown }[]): Verdict | undefined =>
  (events[0]?.data as { verdict: Verdict } | undefined)?.verdict;

/** Resolves when so many transactions of this test wait for a lock. */
async function blocked(count: number): Promise<void> {
  for (;;) {
    const [row] = await instance.query<{ n: number }>(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if ((row?.n ?? 0) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('two instances', () => {
  test('never pass a cap between them, whichever of them makes the ledger', async () => {
    await publish(tight, 7);
    const batches = Array.from({ length: 10 }, (_, b) => {
      const proposals = Array.from({ length: 3 }, (_, n) => shift(b * 3 + n));
      return propose(b % 2 ? other : instance, ...proposals);
    });
    await Promise.all(batches);
    const types = [...instance.published, ...other.published].map((event) => event.type);
    expect(types.filter((type) => type === 'ActionApproved')).toHaveLength(7);
    expect(types.filter((type) => type === 'ActionRefused')).toHaveLength(23);
    for (const ledger of [adAccountLedger, campaignLedger]) {
      expect(await instance.query('SELECT amount FROM reservations WHERE ledger = $1', [ledger])).toHaveLength(7);
    }
  });

  test('judge under the policy of now, whatever each judged under before', async () => {
    await publish(tight, 7);
    expect(verdictOf(await propose(other, shift(1)))).toMatchObject({ outcome: 'approved', policy: { version: 7 } });
    const none = content({ charter: { limits: { adAccountSpendPerDayMinor: 0, approvalAbovePercent: 100 } } });
    await publish(none, 8);
    expect(verdictOf(await propose(other, shift(2)))).toMatchObject({ outcome: 'refused', policy: { version: 8 } });
    // A table that was filled again may hold another content under the same version.
    await instance.query('DELETE FROM state_rows WHERE topic = $1', ['policies.v1']);
    await publish(tight, 8);
    const { digest } = policyOf(tight, 8);
    expect(verdictOf(await propose(other, shift(3)))).toMatchObject({ outcome: 'approved', policy: { digest } });
  });

  test('that are given two words about one permit at once book the first, and the second changes nothing', async () => {
    await publish(tight, 7);
    const [event] = await propose(instance, shift(1));
    const { permitId, actionId, proposalId, digest, executor, connector } = (event as Published)
      .data as unknown as ActionApproved;
    const settle = (by: Harness, outcome: ActionSettled['outcome']) => {
      const data = { permitId, actionId, proposalId, digest, executor, connector, outcome, at };
      return by.deliver(`actions.settled.${executor}.v1`, [{ type: 'ActionSettled', data, id: outcome }]);
    };
    let words: Promise<unknown> = Promise.resolve();
    await instance.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM permits FOR UPDATE');
      const executed = settle(instance, 'executed');
      await blocked(1);
      words = Promise.all([executed, settle(other, 'failed')]);
      await blocked(2);
    });
    await words;
    expect(await instance.query('SELECT state FROM permits')).toEqual([{ state: 'executed' }]);
    expect(await instance.query('SELECT DISTINCT state FROM reservations')).toEqual([{ state: 'committed' }]);
  });

  test('keep the content of a policy once, also where the batch that first judged under it was rolled back', async () => {
    await publish(tight, 7);
    const store = instance.app.get(Store);
    const stores = vi.spyOn(store, 'storePolicy');
    const lost = Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' });
    const saves = vi.spyOn(store, 'saveVerdicts').mockImplementationOnce(() => {
      throw lost;
    });
    await expect(propose(instance, shift(1))).rejects.toThrow(lost);
    expect(saves).toHaveBeenCalledTimes(1);
    expect(await instance.query('SELECT 1 FROM policies_used')).toEqual([]);
    await propose(instance, shift(2));
    expect(await instance.query('SELECT digest FROM policies_used')).toEqual([{ digest: policyOf(tight, 7).digest }]);
    await propose(instance, shift(3));
    expect(stores).toHaveBeenCalledTimes(2);
    await propose(other, shift(4));
    expect(await instance.query('SELECT digest FROM policies_used')).toHaveLength(1);
  });
});

describe('ledgers', () => {
  const lock = (by: Harness, ledgers: string[], then: () => Promise<void>) =>
    by.transaction(async (tx) => {
      by.app.get(Store).lockLedgers(tx, ledgers);
      // Answered when the locks are held.
      await tx.query('SELECT 1');
      await then();
    });
  /** Those that nobody holds. */
  const free = async (): Promise<string[]> => {
    const rows = await instance.transaction((tx) =>
      tx.query<{ ledger: string }>('SELECT ledger FROM ledgers ORDER BY ledger FOR UPDATE SKIP LOCKED'),
    );
    return rows.map((row) => row.ledger);
  };

  test('are taken one after the other in key order, those that are there and those that are made', async () => {
    await lock(instance, ['b', 'd'], async () => undefined);
    expect(await free()).toEqual(['b', 'd']);
    let waits: Promise<void> | undefined;
    await lock(instance, ['c'], async () => {
      waits = lock(other, ['a', 'b', 'c', 'd'], async () => expect(await free()).toEqual([]));
      await blocked(1);
      // It made a and holds b; d, which comes after what it waits for, is nobody's yet.
      expect(await free()).toEqual(['d']);
    });
    await waits;
    expect(await free()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('that another instance holds are waited for, and read as it left them', async () => {
    await publish(tight, 7);
    await propose(instance, ...[1, 2, 3, 4, 5, 6].map(shift));
    let waits: Promise<readonly { data: unknown }[]> | undefined;
    await lock(instance, [adAccountLedger], async () => {
      waits = propose(other, shift(7));
      await blocked(1);
      const took = `INSERT INTO reservations (permit_id, ledger, amount, currency, state, counts_at, at)
        SELECT permit_id, $1, 1000, 'EUR', 'held', $2, $2 FROM permits LIMIT 1 ON CONFLICT (permit_id, ledger) DO UPDATE SET amount = 2000`;
      await instance.query(took, [adAccountLedger, at]);
    });
    expect(verdictOf((await waits) ?? [])?.reasons).toContainEqual(
      expect.objectContaining({ rule: 'spend-cap-ad-account', outcome: 'refuse' }),
    );
  });
});
