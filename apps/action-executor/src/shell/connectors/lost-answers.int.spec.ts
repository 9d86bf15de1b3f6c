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
import { CONNECTORS, type Connector, type Connectors } from '../connector.js';
import { type SandboxSystems, startSandboxes } from '../sandbox-testing.js';
import { approvalOf, approved, policy, setBid, signingKey } from '../testing.js';

/* The sandbox systems behind a way that loses answers; the executor's own database is reached directly. */

const start = '2026-11-21T10:00:00.000Z';
const key = signingKey();
const patient = () => new AbortController().signal;
const points = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });

let folder: string;
let database: TestDatabase;
let way: LossyWay;
let harness: Harness;
let theirs: TestDatabase;
let systems: SandboxSystems;
let ads: Connector;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'executor-'));
  const file = (name: string, content: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(content), { mode: 0o600 });
    return join(folder, name);
  };
  [database, theirs] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  way = await lossyWay(theirs.url);
  vi.stubEnv('SILENT_MS', '300');
  systems = await startSandboxes(way.url);
  for (const [name, value] of Object.entries(systems.env)) vi.stubEnv(name, value);
  vi.stubEnv('DATABASE_URL', database.url);
  vi.stubEnv('PERMIT_VERIFY_KEYS_FILE', file('keys.json', { keys: [key.publicJwk] }));
  vi.stubEnv('CONTACT_POINTS_PRIVATE_KEY_FILE', file('points.json', points));
  vi.stubEnv('CONNECTORS_FILE', undefined);
  harness = await createHarness(ActionExecutorModule, { ...spec, port: 0 }, { databaseUrl: database.url, at: start });
  ads = harness.app.get<Connectors>(CONNECTORS).get('ads') as Connector;
});
beforeEach(async () => {
  harness.setNow(start);
  await harness.query('TRUNCATE permits, jobs, inbox, outbox, state_rows');
  await theirDatabase('TRUNCATE answers, campaigns');
  await harness.putState('policies.v1', 'main', policy(1));
  const campaign = { adAccountId: 'ads-1', status: 'active', dailyBudgetMinor: 5_000, bidMinor: 200, currency: 'EUR' };
  await systems.http('PUT', 'ads/campaigns/c-1', campaign);
});
afterAll(async () => {
  await harness?.close();
  await systems?.close();
  await way?.close();
  await database?.drop();
  await theirs?.drop();
  rmSync(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

/** Past the way that loses answers. */
const theirDatabase = async (sql: string) => {
  const client = new pg.Client({ connectionString: theirs.url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

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
  expect(await theirDatabase('SELECT FROM answers WHERE outcome IS NOT NULL')).toHaveLength(4);
});

test('a question whose answer is lost is asked again', async () => {
  await settled('known');
  const { actionId } = setBid('known');
  way.loseAnswerTo(actionId);
  expect(await ads.find(actionId, patient())).toEqual({
    outcome: 'unknown',
    detail: 'the sandbox system answered 503',
  });
  expect(await ads.find(actionId, patient())).toMatchObject({ outcome: 'done' });
});

test('a call that a busy system did not get to when its caller had gone is never carried out, and one at work is told as running', async () => {
  const action: ApprovedAction = approved(setBid(), 'ads');
  const holder = new pg.Client({ connectionString: theirs.url });
  await holder.connect();
  try {
    await holder.query('BEGIN; SELECT 1 FROM campaigns FOR UPDATE');
    const first = ads.call(action, 'first', patient());
    await expect.poll(async () => (await holder.query('SELECT 1 FROM pg_locks WHERE NOT granted')).rowCount).toBe(1);
    expect(await ads.find('first', patient())).toEqual({
      outcome: 'unknown',
      detail: 'the sandbox system is still at work',
    });
    const limit = new AbortController();
    const second = ads.call(action, 'second', limit.signal);
    await expect.poll(() => ads.find('second', patient())).toMatchObject({ outcome: 'unknown' });
    limit.abort();
    await expect(second).rejects.not.toBeInstanceOf(NotSent);
    await expect.poll(() => ads.find('second', patient())).toEqual({ outcome: 'absent' });
    await holder.query('COMMIT');
    expect(await first).toMatchObject({ outcome: 'done' });
    expect(await ads.call(action, 'third', patient())).toMatchObject({ outcome: 'done' });
    expect(await ads.find('second', patient())).toEqual({ outcome: 'absent' });
  } finally {
    await holder.end();
  }
});
