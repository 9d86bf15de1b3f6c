import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApprovedAction } from '@countersign/gate';
import { createHarness, type Harness } from '@countersign/runtime/harness';
import { createTestDatabase, type LossyWay, lossyWay, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { NotSent } from '../../core/answer.js';
import { ActionExecutorModule, spec } from '../../module.js';
import { approvalOf, approved, policy, setBid, signingKey } from '../testing.js';
import { AdsSandbox } from './ads-sandbox.js';

/* The sandbox systems behind a way that loses answers; the executor's own database is reached directly. */

const start = '2026-11-21T10:00:00.000Z';
const key = signingKey();
const points = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });

let folder: string;
let database: TestDatabase;
let way: LossyWay;
let harness: Harness;
let ads: AdsSandbox;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'executor-'));
  const file = (name: string, content: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(content), { mode: 0o600 });
    return join(folder, name);
  };
  database = await createTestDatabase();
  way = await lossyWay(database.url);
  vi.stubEnv('DATABASE_URL', way.url);
  vi.stubEnv('PERMIT_VERIFY_KEYS_FILE', file('keys.json', { keys: [key.publicJwk] }));
  vi.stubEnv('CONTACT_POINTS_PRIVATE_KEY_FILE', file('points.json', points));
  vi.stubEnv('CONNECTORS_FILE', undefined);
  vi.stubEnv('SILENT_MS', '300');
  harness = await createHarness(ActionExecutorModule, { ...spec, port: 0 }, { databaseUrl: database.url, at: start });
  ads = harness.app.get(AdsSandbox);
});
beforeEach(async () => {
  harness.setNow(start);
  await harness.query('TRUNCATE permits, jobs, inbox, outputs, state_rows, sandbox_answers, sandbox_campaigns');
  await harness.putState('policies.v1', 'main', policy(1));
  await ads.put({
    campaignId: 'c-1',
    adAccountId: 'ads-1',
    status: 'active',
    dailyBudgetMinor: 5_000,
    bidMinor: 200,
    currency: 'EUR',
    creatives: [],
  });
});
afterAll(async () => {
  await harness?.close();
  await way?.close();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

/** Approves bids by these names and runs what is due, then and minutes later; resolves to how each was settled. */
const settled = async (...names: string[]) => {
  const approvals = names.map((name) => approvalOf(setBid(name), key, { connector: 'ads' }));
  await harness.deliver(
    'actions.approved.v1',
    approvals.map((data) => ({ type: 'ActionApproved', id: data.permitId, data })),
  );
  const published = await harness.runJobs();
  for (let minute = 1; minute <= 6; minute++) {
    harness.setNow(new Date(Date.parse(start) + minute * 60_000).toISOString());
    published.push(...(await harness.runJobs()));
  }
  return published.map(({ data }) => (data as { outcome: string }).outcome);
};

test('a commit of a connected system whose answer is lost costs one answer: its permit and all after it are executed', async () => {
  way.loseAnswerTo('COMMIT\0');
  expect(await settled('first')).toEqual(['executed']);
  harness.setNow(start);
  expect(await settled('second', 'third', 'fourth')).toEqual(['executed', 'executed', 'executed']);
  expect(await harness.query(`SELECT outcome FROM sandbox_answers`)).toHaveLength(4);
});

test('a question whose answer is lost is asked again', async () => {
  await settled('known');
  const { actionId } = setBid('known');
  way.loseAnswerTo(actionId);
  await expect(ads.find(actionId)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  expect(await ads.find(actionId)).toMatchObject({ outcome: 'done' });
});

test('a call that a busy system did not get to when its time was up was not sent, and never is', async () => {
  const action: ApprovedAction = approved(setBid(), 'ads');
  const holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
  try {
    await holder.query('BEGIN; SELECT 1 FROM sandbox_campaigns FOR UPDATE');
    const first = ads.call(action, 'first', new AbortController().signal);
    await expect.poll(async () => (await holder.query('SELECT 1 FROM pg_locks WHERE NOT granted')).rowCount).toBe(1);
    const limit = new AbortController();
    const second = ads.call(action, 'second', limit.signal);
    limit.abort();
    await expect(second).rejects.toBeInstanceOf(NotSent);
    await holder.query('COMMIT');
    expect(await first).toMatchObject({ outcome: 'done' });
    expect(await ads.call(action, 'third', new AbortController().signal)).toMatchObject({ outcome: 'done' });
    expect(await ads.find('second')).toEqual({ outcome: 'absent' });
  } finally {
    await holder.end();
  }
});
