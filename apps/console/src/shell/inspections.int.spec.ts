import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, costlyParts, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { at } from '../core/given.js';
import { silentMs } from '../core/inspection.js';
import { ConsoleModule, spec } from '../module.js';
import { forgetInspections } from './inspections.repository.js';
import { forgetPasses } from './passes.repository.js';

const people = [
  { person: 'lea', roles: ['viewer', 'auditor'] },
  { person: 'max', roles: ['viewer', 'auditor'] },
  { person: 'rex', roles: ['viewer', 'reviewer', 'operator', 'policy-owner', 'privacy-officer'] },
] as const;
let database: TestDatabase;
let harness: Harness;
let folder: string;

const start = async () => {
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
};
beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-inspections-'));
  const tokens = people.map((person) => ({
    ...person,
    sha256: createHash('sha256').update(person.person).digest('hex'),
  }));
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(tokens));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  await start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await harness?.close();
  await database?.close();
  rmSync(folder, { recursive: true });
});

const ask = async (method: 'GET' | 'POST', url: string, payload?: object, person = 'lea') => {
  const headers = { authorization: `Bearer ${person}` };
  const answer = await harness.app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json() };
};
const after = (ms: number): string => new Date(Date.parse(at) + ms).toISOString();
const day = 86_400_000;
/** What the jobs of that time delete is deleted. */
const tidiedAt = async (ms: number): Promise<void> => {
  harness.setNow(after(ms));
  await harness.runJobs();
};
const inspections = () => harness.published.filter(({ topic }) => topic === 'inspections.v1');
const published = (type: string) => harness.published.filter((event) => event.type === type);

describe('a pass for the whole record', () => {
  const path = '/v1/record/passes';
  const asking = { use: 'export', purpose: '  yearly audit  2026 ', secretSha256: 'ab'.repeat(32) };

  test('is an event that says who asks, what for, and until when, and is told to everybody', async () => {
    const { status, body } = await ask('POST', path, asking);
    expect([status, body.expiresAt]).toEqual([202, after(600_000)]);
    const request = { passId: body.passId, use: 'export', purpose: 'yearly audit 2026', by: 'lea', at };
    expect(published('RecordPassRequested')).toMatchObject([
      {
        topic: 'record.passes.v1',
        key: body.passId,
        data: { ...request, secretSha256: asking.secretSha256, expiresAt: after(600_000) },
      },
    ]);
    const list = await ask('GET', path, undefined, 'rex');
    expect(list.body).toEqual({ passes: [{ ...request, expiresAt: after(600_000) }], next: null });
    expect(JSON.stringify(list.body)).not.toContain(asking.secretSha256);
  });

  test.each([
    ['somebody who is no auditor', 'rex', 403],
    ['nobody whom the console knows', 'eve', 401],
  ])('of %s is refused, and nothing is asked', async (_, person, status) => {
    expect((await ask('POST', path, asking, person)).status).toBe(status);
    expect(published('RecordPassRequested')).toEqual([]);
  });

  test.each([
    ['without a purpose', { purpose: '  ' }, 'purpose'],
    ['with an address in its purpose', { purpose: 'for jane@example.com' }, 'purpose'],
    ['with a long purpose', { purpose: 'x'.repeat(201) }, 'purpose'],
    ['with a secret in place of its digest', { secretSha256: 'a-secret' }, 'secretSha256'],
    ['for another use', { use: 'copy' }, 'use'],
    ['in the name of somebody else', { by: 'max' }, 'by'],
  ])('%s is refused', async (_, more, field) => {
    expect((await ask('POST', path, { ...asking, ...more })).body).toMatchObject({ status: 400, field });
    expect(published('RecordPassRequested')).toEqual([]);
  });

  test('is listed a page at a time, the latest first, found by an index; and is there again after a restore', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      harness.setNow(after(n));
      ids.push((await ask('POST', path, { ...asking, secretSha256: `${n}`.repeat(64) })).body.passId);
    }
    const events = published('RecordPassRequested');
    await harness.query('TRUNCATE record_passes');
    await harness.deliver(
      'record.passes.v1',
      events.map(({ key, data }) => ({ type: 'RecordPassRequested', key, data })) as never,
    );
    const read = vi.spyOn(harness.engine, 'readForPage');
    const first = (await ask('GET', `${path}?limit=3`)).body;
    const second = (await ask('GET', `${path}?limit=3&cursor=${encodeURIComponent(first.next)}`)).body;
    const listed = [...first.passes, ...second.passes].map(({ passId }: { passId: string }) => passId);
    expect(listed).toEqual(ids.toReversed());
    expect(second.next).toBeNull();
    for (const [sql, params] of read.mock.calls)
      expect({ sql, costly: await costlyParts(harness.query, sql, params) }).toEqual({ sql, costly: [] });
  });
});

describe('what people asked for long ago', () => {
  const asking = { use: 'export', purpose: 'yearly audit', secretSha256: 'ab'.repeat(32) };
  const listed = async () =>
    (await ask('GET', '/v1/record/passes')).body.passes.map(({ purpose }: { purpose: string }) => purpose);
  const inspect = async (kind: string, ended = true): Promise<string> => {
    const { inspectionId } = (await ask('POST', '/v1/inspections', { kind })).body;
    if (ended) await ask('POST', `/v1/inspections/${inspectionId}/end`, { outcome: 'broken', checks: [] });
    return inspectionId;
  };
  const stored = async () =>
    (await harness.query('SELECT inspection_id AS id FROM inspections')).map(({ id }) => String(id)).sort();

  test('is deleted after 400 days, and a later request stays', async () => {
    await ask('POST', '/v1/record/passes', asking);
    harness.setNow(after(day));
    await ask('POST', '/v1/record/passes', { ...asking, purpose: 'the day after' });
    await tidiedAt(400 * day);
    expect(await listed()).toEqual(['the day after', 'yearly audit']);
    await tidiedAt(400 * day + 3_700_000);
    expect(await listed()).toEqual(['the day after']);
    // A topic that is read again brings it back for an hour.
    const events = published('RecordPassRequested').map(({ key, data }) => ({
      type: 'RecordPassRequested',
      key,
      data,
    }));
    await harness.deliver('record.passes.v1', events as never);
    expect(await listed()).toHaveLength(2);
    await tidiedAt(400 * day + 7_400_000);
    expect(await listed()).toEqual(['the day after']);
  });

  test('of audits and probes the last of each kind stays, and the last that never ended', async () => {
    await inspect('invariants');
    await inspect('probe', false);
    harness.setNow(after(1_000));
    const [audit, ...probes] = [await inspect('invariants'), await inspect('probe'), await inspect('probe', false)];
    await tidiedAt(399 * day);
    expect(await stored()).toHaveLength(5);
    await tidiedAt(800 * day);
    expect(await stored()).toEqual([audit, ...probes].sort());
    // The next one takes the place of the last.
    const next = await inspect('invariants');
    await tidiedAt(801 * day);
    expect(await stored()).toEqual([next, ...probes].sort());
  });

  test('is kept for as many days as an operator says', async () => {
    vi.stubEnv('REQUESTS_DAYS', '30');
    await harness.close();
    await start();
    await ask('POST', '/v1/record/passes', asking);
    await inspect('invariants');
    harness.setNow(after(1_000));
    const last = await inspect('invariants');
    await tidiedAt(30 * day);
    expect([await listed(), await stored()]).toEqual([['yearly audit'], expect.arrayContaining([last])]);
    expect(await stored()).toHaveLength(2);
    await tidiedAt(30 * day + 3_700_000);
    expect([await listed(), await stored()]).toEqual([[], [last]]);
  });

  test('is found by an index, however much there is', async () => {
    await harness.query(
      `INSERT INTO record_passes SELECT gen_random_uuid(), 'export', 'p', 'lea', $1::timestamptz + n * interval '1 minute', $1
       FROM generate_series(1, 20000) n`,
      [at],
    );
    await harness.query(
      `INSERT INTO inspections (inspection_id, kind, by_person, started_at, heard_at, ended_at, outcome, checks)
       SELECT gen_random_uuid(), 'probe', 'lea', t, t, t, 'clean', '[]'
       FROM (SELECT $1::timestamptz + n * interval '1 minute' AS t FROM generate_series(1, 20000) n) r`,
      [at],
    );
    await harness.query('ANALYZE');
    // The first hundred minutes are over.
    const before = after(100 * 60_000);
    const explained: object[] = [];
    const tx = {
      query: async (sql: string, params: readonly unknown[]) => {
        explained.push({ sql, costly: await costlyParts(harness.query, sql, params) });
        return [];
      },
    };
    for (const forget of [forgetPasses, forgetInspections]) await forget(tx as never, before, 1_000);
    expect(explained).toEqual([1, 2].map(() => ({ sql: expect.stringContaining('DELETE'), costly: [] })));
    // To explain them is to do them.
    for (const table of ['record_passes', 'inspections'])
      expect(await harness.query(`SELECT count(*)::int AS n FROM ${table}`)).toEqual([{ n: 19_901 }]);
  });
});

describe('an inspection', () => {
  const begin = async (kind = 'invariants', person = 'lea'): Promise<string> =>
    (await ask('POST', '/v1/inspections', { kind }, person)).body.inspectionId;
  const progress = (id: string, done: number, person = 'lea') =>
    ask('POST', `/v1/inspections/${id}/progress`, { step: 'reading the record', done, total: 200 }, person);
  const check = { name: 'once', detail: 'nothing twice', checked: 12, findings: 0 };
  const end = (id: string, more: object = {}, person = 'lea') =>
    ask('POST', `/v1/inspections/${id}/end`, { outcome: 'clean', checks: [check], ...more }, person);
  const shown = async (kind = 'invariants') =>
    (await ask('GET', '/v1/inspections', undefined, 'rex')).body.kinds.find(
      (each: { kind: string }) => each.kind === kind,
    );

  test('is told while it runs, and what it found; only its beginning and its end are events', async () => {
    expect(await shown()).toEqual({ kind: 'invariants', open: null, last: null });
    const id = await begin();
    expect((await shown()).open).toMatchObject({
      inspectionId: id,
      by: 'lea',
      state: 'running',
      progress: null,
      startedAt: at,
    });
    harness.setNow(after(2_000));
    expect((await progress(id, 50)).body).toEqual({ inspectionId: id, state: 'running' });
    expect((await shown()).open).toMatchObject({
      heardAt: after(2_000),
      progress: { step: 'reading the record', done: 50, total: 200 },
    });
    harness.setNow(after(4_000));
    const findings = { outcome: 'findings', checks: [check, { ...check, name: 'limits', findings: 2 }] };
    expect((await end(id, findings)).body).toEqual({ inspectionId: id, state: 'findings' });
    expect(await shown()).toMatchObject({
      open: null,
      last: { inspectionId: id, state: 'findings', endedAt: after(4_000), checks: findings.checks },
    });
    expect(inspections().map(({ topic, type, data }) => ({ topic, type, data }))).toEqual([
      {
        topic: 'inspections.v1',
        type: 'InspectionStarted',
        data: { inspectionId: id, kind: 'invariants', by: 'lea', at },
      },
      {
        topic: 'inspections.v1',
        type: 'InspectionEnded',
        data: { inspectionId: id, kind: 'invariants', by: 'lea', ...findings, startedAt: at, at: after(4_000) },
      },
    ]);
    expect((await shown('probe')).last).toBeNull();
  });

  test('whose command has died is not shown as running for ever, and not at all once a later one has ended', async () => {
    const id = await begin();
    await progress(id, 7);
    harness.setNow(after(silentMs));
    expect((await shown()).open).toMatchObject({ inspectionId: id, state: 'silent', heardAt: at });
    // It was only away.
    await progress(id, 8);
    expect((await shown()).open).toMatchObject({ state: 'running' });
    harness.setNow(after(silentMs * 3));
    const next = await begin('invariants', 'max');
    expect((await shown()).open).toMatchObject({ inspectionId: next, by: 'max', state: 'running' });
    await end(next, {}, 'max');
    expect(await shown()).toMatchObject({ open: null, last: { inspectionId: next } });
  });

  test('ends once: who repeats it is told what stands, and nothing more is published or reported', async () => {
    const id = await begin('probe');
    await end(id);
    expect((await end(id, { outcome: 'broken', checks: [] })).body).toEqual({ inspectionId: id, state: 'clean' });
    expect(published('InspectionEnded')).toHaveLength(1);
    expect(await progress(id, 1)).toMatchObject({ status: 409, body: { title: 'Already ended' } });
  });

  test('of two ends at one moment one stands', async () => {
    const id = await begin();
    const states = await Promise.all([end(id), end(id, { outcome: 'broken', checks: [] }), end(id)]);
    expect(new Set(states.map(({ body }) => body.state)).size).toBe(1);
    expect(published('InspectionEnded')).toHaveLength(1);
  });

  test('is reported on by whoever began it, and nobody else', async () => {
    const id = await begin();
    for (const act of [progress(id, 1, 'max'), end(id, {}, 'max'), progress(randomUUID(), 1), end('x', {})])
      expect(await act).toMatchObject({ status: 404, body: { title: 'No such inspection' } });
    expect((await ask('POST', '/v1/inspections', { kind: 'probe' }, 'rex')).status).toBe(403);
    expect(published('InspectionEnded')).toEqual([]);
  });

  test.each([
    ['an end that is clean and has findings', 'end', { outcome: 'clean', checks: [{ ...check, findings: 1 }] }],
    ['an end that is clean and checked nothing', 'end', { outcome: 'clean', checks: [] }],
    ['more checks than there may be', 'end', { outcome: 'clean', checks: Array(201).fill(check) }],
    ['a check with more members', 'end', { outcome: 'clean', checks: [{ ...check, ids: ['x'] }] }],
    ['less than nothing', 'progress', { step: 'x', done: -1, total: 1 }],
    ['a step without words', 'progress', { step: ' ', done: 1, total: 1 }],
  ])('%s is refused', async (_, act, payload) => {
    const id = await begin();
    expect((await ask('POST', `/v1/inspections/${id}/${act}`, payload)).status).toBe(400);
  });

  test('is there again after a restore from the topic, in whatever order its events come', async () => {
    const [first, second] = [await begin(), await begin('probe')];
    await end(first);
    const events = inspections().map(({ type, key, data }) => ({ type, key, data }));
    await harness.query('TRUNCATE inspections');
    await harness.deliver('inspections.v1', events.toReversed() as never);
    expect((await shown()).last).toMatchObject({ inspectionId: first, state: 'clean', startedAt: at });
    expect((await shown('probe')).open).toMatchObject({ inspectionId: second });
  });

  test('is found by an index, however many there were', async () => {
    await harness.query(
      `INSERT INTO inspections (inspection_id, kind, by_person, started_at, heard_at, ended_at, outcome, checks)
       SELECT gen_random_uuid(), 'probe', 'lea', $1::timestamptz - n * interval '1 hour', $1, $1, 'clean', '[]' FROM generate_series(1, 5000) n`,
      [at],
    );
    await harness.query('ANALYZE');
    const read = vi.spyOn(harness.engine, 'readForPage');
    await ask('GET', '/v1/inspections');
    expect(read.mock.calls.length).toBeGreaterThan(3);
    for (const [sql, params] of read.mock.calls)
      expect({ sql, costly: await costlyParts(harness.query, sql, params) }).toEqual({ sql, costly: [] });
  });
});
