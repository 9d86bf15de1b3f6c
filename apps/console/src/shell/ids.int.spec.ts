import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, costlyParts, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { approved, at, deadLetter, escalated, settled, task } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

let database: TestDatabase;
let harness: Harness;
let folder: string;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-ids-'));
  const sha256 = createHash('sha256').update('ann').digest('hex');
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify([{ sha256, person: 'ann', roles: ['viewer'] }]));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await harness?.close();
  await database?.close();
  rmSync(folder, { recursive: true });
});

const find = async (kind: string, begins: string) => {
  const query = new URLSearchParams({ kind, begins });
  const answer = await harness.app.inject({ url: `/v1/ids?${query}`, headers: { authorization: 'Bearer ann' } });
  return { status: answer.statusCode, body: answer.json() };
};
/** The id with this beginning and this end. */
const id = (beginning: string, end = '1') => `${beginning}0000-0000-5000-8000-${end.padStart(12, '0')}`;
const found = (full: string) => ({ status: 200, body: { id: full } });

test('a dead letter and a run are found by the first characters of their ids, in capitals too', async () => {
  await harness.deliver(
    'orchestrator.dead-letters.v1',
    ['5b1e', '5b1f', '77aa'].map((beginning) => ({
      type: 'DeadLetter',
      data: { ...deadLetter(), deadLetterId: id(beginning) },
    })),
  );
  expect(await find('dead-letter', '5b1e')).toEqual(found(id('5b1e')));
  expect(await find('dead-letter', '5B1E')).toEqual(found(id('5b1e')));
  expect(await find('dead-letter', '7')).toEqual(found(id('77aa')));
  expect(await find('dead-letter', id('5b1f'))).toEqual(found(id('5b1f')));
  expect(await find('dead-letter', '5b1')).toMatchObject({
    status: 400,
    body: { detail: 'more than one dead letter begins with 5b1; give more of its id', field: 'begins' },
  });
  for (const nothing of ['ffff', 'r-1', '5b1e0000-1'])
    expect(await find('dead-letter', nothing)).toMatchObject({
      status: 404,
      body: { detail: `no dead letter begins with ${nothing}` },
    });

  const play = { ...task().play, runId: id('7c0d') };
  await harness.deliver('tasks.assigned.v1', [{ type: 'TaskAssigned', data: { ...task(), play }, key: 'ads-1' }]);
  expect(await find('run', '7c0d')).toEqual(found(id('7c0d')));
  // A beginning counts for one kind of thing alone.
  expect(await find('run', '5b1e')).toMatchObject({ status: 404, body: { detail: 'no run begins with 5b1e' } });
});

test('of reviews only an open one is found, once however often it was escalated', async () => {
  const escalations = [
    { proposalId: id('3f2a', '1'), actionId: id('aaaa', '1') },
    // Escalated again, as another action.
    { proposalId: id('3f2a', '1'), actionId: id('aaaa', '2') },
    { proposalId: id('3f2a', '2'), actionId: id('aaaa', '3'), deadline: '2026-11-21T09:59:00.000Z' },
    { proposalId: id('3f2b', '1'), actionId: id('aaaa', '4') },
  ];
  await harness.deliver(
    'actions.escalated.v1',
    escalations.map((ids) => ({ type: 'ActionEscalated', data: escalated(ids), key: 'ads-1' })),
  );
  expect(await find('review', '3f2a')).toEqual(found(id('3f2a', '1')));
  expect(await find('review', '3f2')).toMatchObject({ status: 400, body: { field: 'begins' } });
  harness.setNow('2026-11-21T12:00:00.000Z');
  expect(await find('review', '3f2a')).toMatchObject({
    status: 404,
    body: { detail: 'no open review begins with 3f2a' },
  });
});

test('of permits only an unresolved one of its own executor is found', async () => {
  const permits = [1, 2].map((n) => ({
    permitId: id(`9d0${n}`),
    actionId: id(`aaa${n}`),
    proposalId: id(`bbb${n}`),
  }));
  await harness.deliver(
    'actions.approved.v1',
    permits.map((permit) => ({ type: 'ActionApproved', data: approved(permit), key: 'ads-1' })),
  );
  await harness.deliver(
    'actions.settled.action-executor.v1',
    permits.map((permit) => ({ type: 'ActionSettled', data: settled('unresolved', permit), key: 'ads-1' })),
  );
  // Another executor writes of a permit that it does not have.
  await harness.deliver('actions.settled.downstream.v1', [
    {
      type: 'ActionSettled',
      data: { ...settled('unresolved', { ...permits[0], permitId: id('9d03') }), executor: 'downstream' },
      key: 'ads-1',
    },
  ]);
  expect(await find('permit', '9d01')).toEqual(found(id('9d01')));
  expect(await find('permit', '9d0')).toMatchObject({ status: 400 });
  expect(await find('permit', '9d03')).toMatchObject({ status: 404 });
  await harness.deliver('actions.settled.action-executor.v1', [
    { type: 'ActionSettled', data: settled('executed', permits[1]), key: 'ads-1' },
  ]);
  expect(await find('permit', '9d0')).toEqual(found(id('9d01')));
  expect(await find('permit', '9d02')).toMatchObject({
    status: 404,
    body: { detail: 'no unresolved permit begins with 9d02' },
  });
});

test.each([
  ['another kind', { kind: 'person', begins: '3f2a' }, 'kind'],
  ['nothing', { kind: 'run', begins: '' }, 'begins'],
  ['more than an id', { kind: 'run', begins: '3'.repeat(37) }, 'begins'],
])('%s is not looked for', async (_, { kind, begins }, field) => {
  expect(await find(kind, begins)).toMatchObject({ status: 400, body: { field } });
});

test('however many there are, few are read, also if all ids begin in the same way', async () => {
  await harness.deliver('actions.escalated.v1', [{ type: 'ActionEscalated', data: escalated(), key: 'ads-1' }]);
  const rows = `SELECT ('3f2a' || right(gen_random_uuid()::text, 32))::uuid AS id, '2026-01-01Z'::timestamptz + n * interval '1 second' AS at
    FROM generate_series(1, 20000) AS n`;
  await harness.query(`
    INSERT INTO escalations (action_id, subject_kind, subject_id, run_id, action_key, digest, correlation_id, card, deadline_at, escalated_at)
    SELECT gen_random_uuid(), 'proposal', id, id, 'k', 'd', 'c', (SELECT card FROM escalations LIMIT 1), at, at FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO failures (dead_letter_id, service, topic, partition, "offset", fault, attempts, at)
    SELECT id, 'orchestrator', 't', 0, '1', '{"code": "c", "detail": "d"}', 3, at FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO unresolved_permits (permit_id, action_id, proposal_id, digest, executor, connector, action_key, correlation_id, at, kept_at)
    SELECT id, id, id, 'd', 'e', 'c', 'k', 'c', at, at FROM (${rows}) r`);
  await harness.query(`
    INSERT INTO play_runs (run_id, play_id, correlation_id, started_at, kept_at)
    SELECT id, 'p', 'c', at, at FROM (${rows}) r`);
  await harness.query('ANALYZE');
  const read = vi.spyOn(harness.engine, 'readForPage');
  const kinds = ['dead-letter', 'review', 'permit', 'run'];
  for (const kind of kinds)
    for (const begins of ['3', '3f2a', '3f2a00', '9'])
      expect([400, 404], `${kind} ${begins}`).toContain((await find(kind, begins)).status);
  expect(read.mock.calls.length).toBeGreaterThanOrEqual(4 * kinds.length);
  for (const [sql, params] of read.mock.calls)
    expect({ sql, costly: await costlyParts(harness.query, sql, params) }).toEqual({ sql, costly: [] });
});
