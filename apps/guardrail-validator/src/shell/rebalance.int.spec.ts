import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  type ActionProposed,
  type DataOf,
  type EventType,
  sourceOf,
  toBinary,
  topicConfig,
  topicNamed,
  topology,
} from '@countersign/contracts';
import { content, permitKeys, policyOf, taskOf } from '@countersign/gate/testing';
import { kafkajs, type Producer } from '@countersign/kafka';
import { type Database, openDatabase, readLimits } from '@countersign/runtime';
import {
  createTestDatabase,
  freePort,
  startTestBroker,
  type TestBroker,
  type TestDatabase,
} from '@countersign/testing';
import { chance } from '@countersign/testing/chance';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { proposed } from '../core/testing.js';
import { adProfiles, signsWith } from './testing.js';

/* Two validators as they run, each its own process, over a real broker whose partitions move between them. */

const topics = topology();
const seed = Date.now() % 2 ** 32;
const dice = chance(seed);
const taskId = taskOf('paid-media-agent').taskId;

let removeKey: () => void;
let broker: TestBroker;
let database: TestDatabase;
let tables: Database;
let producer: Producer;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  removeKey = signsWith(permitKeys('validator-1').jwk);
  [broker, database] = await Promise.all([
    startTestBroker({
      topics: topics.map((topic) => ({ name: topic.name, partitions: topic.partitions, config: topicConfig(topic) })),
    }),
    createTestDatabase(),
  ]);
  tables = openDatabase(database.url, 'test', readLimits({}));
  const kafka = new kafkajs.Kafka({ ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
  producer = kafka.producer();
  await producer.connect();
});
afterAll(async () => {
  for (const validator of running) validator.kill('SIGKILL');
  await Promise.allSettled([producer?.disconnect(), tables?.close()]);
  await Promise.allSettled([broker?.stop(), database?.drop()]);
  removeKey?.();
});

/** Starts a validator. Resolves when it reads its partitions. */
async function validator(): Promise<ChildProcess> {
  const port = await freePort();
  const started = spawn(process.execPath, [fileURLToPath(new URL('../../dist/main.js', import.meta.url))], {
    env: {
      ...process.env,
      ...broker.env(),
      DATABASE_URL: database.url,
      PORT: String(port),
      COUNTERSIGN_PARENT: 'stdin',
      // Small batches, so that partitions move between them; a killed validator is missed soon.
      BATCH_EVENTS: '4',
      SESSION_MS: '6000',
    },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  running.add(started);
  await until('a validator to be well', async () => {
    if (started.exitCode !== null) throw new Error(`the validator ended with ${started.exitCode}`);
    return (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  });
  return started;
}

async function publish<T extends EventType>(
  topic: string,
  type: T,
  events: readonly { key: string; data: DataOf<T>; id?: string }[],
): Promise<void> {
  const { source, writer } = topicNamed(topic, topics);
  const messages = events.map(({ key, data, id }, n) => ({
    key,
    ...toBinary({
      ...{ id: id ?? `${topic} ${key} ${n}`, source: source ?? sourceOf(writer), type },
      ...{ time: new Date().toISOString(), data: data as never },
    }),
  }));
  await producer.send({ topic, acks: -1, messages });
}

const caps = {
  campaignSpendPerDayMinor: 60_000,
  campaignSpendPerMonthMinor: 55_000,
  adAccountSpendPerDayMinor: 58_000,
  agentSpendPerDayMinor: 52_000,
  agentSpendPerMonthMinor: 50_000,
};
const least = Math.min(...Object.values(caps));

/** The most that was ever held or spent under one limit, of all looks. Every amount counts under all of them. */
const most = { ever: 0 };
/** Looks how far the validators are, and that nothing is above the lowest cap. */
async function look(): Promise<{ verdicts: number; approved: number }> {
  const [row] = await tables.read<{ verdicts: number; approved: number; used: number }>(
    `SELECT (SELECT count(*) FROM verdicts) AS verdicts, (SELECT count(*) FROM permits) AS approved,
       coalesce((SELECT max(used) FROM (SELECT sum(amount) AS used FROM reservations WHERE currency IS NOT NULL AND state <> 'released'
         GROUP BY ledger) l), 0)::bigint AS used`,
  );
  if (!row) throw new Error('there is one row');
  most.ever = Math.max(most.ever, row.used);
  expect(row.used, `seed ${seed}`).toBeLessThanOrEqual(least);
  return row;
}

const proposals = 240;
const amounts = Array.from({ length: proposals }, () => 100 + dice.below(900));
/** Proposes these, spread over the partitions. */
const propose = (from: number, to: number): Promise<void> =>
  publish(
    'actions.proposed.paid-media-agent.v1',
    'ActionProposed',
    amounts.slice(from, to).map((amountMinor, i) => {
      const data: ActionProposed = proposed('ads.shift_budget', { amountMinor }, from + i + 1);
      return { key: `key-${(from + i) % 16}`, id: data.proposalId, data };
    }),
  );

/** Some of what was approved fails, which gives its room back. */
async function fail(share: number): Promise<void> {
  const permits = await tables.read<Record<'permitId' | 'actionId' | 'proposalId' | 'digest' | 'connector', string>>(
    `SELECT permit_id AS "permitId", action_id AS "actionId", proposal_id AS "proposalId", digest, connector
     FROM permits WHERE settled_at IS NULL ORDER BY permit_id`,
  );
  await publish(
    'actions.settled.action-executor.v1',
    'ActionSettled',
    permits
      .filter(() => dice.below(100) < share)
      .map((permit) => ({
        key: permit.permitId,
        data: { ...permit, executor: 'action-executor', outcome: 'failed', at: new Date().toISOString() },
      })),
  );
}

test('[case 19] no cap is passed while a validator joins, while one is killed, and while one leaves', {
  timeout: 300_000,
}, async () => {
  const limits = { ...caps, approvalAbovePercent: 100, actionsPerHour: 100_000, accountActionsPerHour: 100_000 };
  await publish('policies.v1', 'PolicyPublished', [{ key: 'main', data: policyOf(content({ charter: { limits } })) }]);
  for (const [key, data] of adProfiles()) await publish('profiles.v1', 'ProfileChanged', [{ key, data } as never]);
  const dueAt = new Date(Date.now() + 86_400_000).toISOString();
  await publish('tasks.assigned.v1', 'TaskAssigned', [
    { key: 'acme', data: taskOf('paid-media-agent', { taskId, dueAt }) },
  ]);
  const first = await validator();
  const judged = (n: number) => until(`${n} verdicts (seed ${seed})`, async () => (await look()).verdicts >= n);

  await propose(0, 80);
  await judged(10);
  const second = await validator();
  await judged(80);

  await fail(60);
  await propose(80, 160);
  await judged(100);
  first.kill('SIGKILL');
  running.delete(first);
  await judged(160);

  const third = await validator();
  await fail(60);
  await propose(160, proposals);
  await judged(180);
  second.kill('SIGTERM');
  await once(second, 'exit');
  running.delete(second);
  await judged(proposals);

  const { verdicts, approved } = await look();
  expect(verdicts).toBe(proposals);
  const outcomes = await tables.read<{ outcome: string; other: string | null }>(
    `SELECT outcome, string_agg(DISTINCT r ->> 'rule', ' ') FILTER (WHERE r ->> 'rule' NOT LIKE 'spend-cap-%') AS other
     FROM verdicts LEFT JOIN LATERAL json_array_elements(verdict -> 'reasons') r ON r ->> 'outcome' <> 'pass' GROUP BY outcome ORDER BY outcome`,
  );
  expect(outcomes).toEqual([
    { outcome: 'approved', other: null },
    { outcome: 'refused', other: null },
  ]);
  // The caps were reached: less than the largest amount is left of the lowest of them.
  expect(most.ever).toBeGreaterThan(least - 1_000);
  expect(approved).toBeLessThan(proposals);
  third.kill('SIGTERM');
  await once(third, 'exit');
  running.delete(third);
});

async function until(what: string, found: () => Promise<boolean>): Promise<void> {
  for (const began = performance.now(); ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (
      await found().catch((error: Error) => {
        // It does not listen yet.
        if (error.message !== 'fetch failed') throw error;
        return false;
      })
    )
      return;
    if (performance.now() - began > 120_000) throw new Error(`waited in vain for ${what}`);
  }
}
