import { openCheckpoint, parseVerifierKey, verifyConsistency, verifyInclusion } from '@countersign/record';
import { costlyParts, createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { chain, ids, inboundSignal, kafkaFact } from '../core/testing.js';
import { type Recorder, recorder, secrets, tokens } from './testing.js';

let files: ReturnType<typeof secrets>;
let database: TestDatabase;
let log: Recorder;

const unbase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

beforeAll(async () => {
  files = secrets();
  database = await createTestDatabase();
  log = await recorder(database.url);
  const busy = Array.from({ length: 1_000 }, (_, n) => inboundSignal(`busy-${n}`, 1 + n));
  await log.append([inboundSignal(ids.signal, 0)]);
  await log.append(chain.slice(0, 6).map((event, n) => kafkaFact(event, n)));
  await log.sign();
  await log.append(busy);
  await log.append(chain.slice(6).map((event, n) => kafkaFact(event, 6 + n)));
  await log.sign();
});
afterAll(async () => {
  await log.close();
  await database.close();
  files.remove();
});

const json = async (path: string) => {
  const { status, body } = await log.get(path, tokens.lea);
  return { status, body: JSON.parse(body) };
};
const trust = async () => {
  const { body } = await json('/v1/record/checkpoints');
  return { origin: body.origin as string, keys: [parseVerifierKey(body.verifierKey)] };
};
const head = async (note: string) => {
  const opened = openCheckpoint(note, await trust());
  if (!opened.ok) throw new Error(opened.detail);
  return opened.checkpoint;
};

describe('who may read', () => {
  test.each([
    ['nobody without a token', undefined, 401],
    ['nobody with an unknown token', 'token-of-nobody', 401],
    ['nobody who is no auditor', tokens.kim, 403],
  ])('%s', async (_, token, status) => {
    for (const path of ['record/checkpoint', 'record/checkpoints', 'record/export', 'record/proof', 'show/x']) {
      const reply = await log.get(`/v1/${path}`, token);
      expect(reply).toMatchObject({ status, type: expect.stringContaining('application/problem+json') });
      expect(JSON.parse(reply.body)).toMatchObject({ status });
    }
  });

  test('an auditor', async () => {
    expect(await log.get('/v1/record/checkpoint', tokens.lea)).toMatchObject({ status: 200 });
  });
});

describe('proofs', () => {
  test('the latest checkpoint is given as the note that was signed', async () => {
    const { body, type } = await log.get('/v1/record/checkpoint', tokens.lea);
    expect(type).toContain('text/plain');
    expect((await head(body)).size).toBe(1 + chain.length + 1_000);
  });

  test('one record is shown to be in the log', async () => {
    const { body } = await json('/v1/record/proof?topic=actions.approved.v1&partition=0&offset=9');
    const claim = {
      leafHash: unbase64(body.leafHash),
      index: body.index,
      head: await head(body.checkpoint),
      proof: body.proof.map(unbase64),
    };
    expect(body.leaf).toMatchObject({ topic: 'actions.approved.v1', offset: '9', id: 'event-6' });
    expect(verifyInclusion(claim)).toBe(true);
    expect(verifyInclusion({ ...claim, index: claim.index - 1 })).toBe(false);
  });

  test('an older checkpoint is shown to be a beginning of the latest', async () => {
    const { checkpoints } = (await json('/v1/record/checkpoints')).body;
    const from = await head(checkpoints[0].note);
    const { body } = await json(`/v1/record/consistency?from=${from.size}`);
    const claim = { from, to: await head(body.checkpoint), proof: body.proof.map(unbase64) };
    expect(from.size).toBeLessThan(claim.to.size);
    expect(verifyConsistency(claim)).toBe(true);
    expect(verifyConsistency({ ...claim, from: { ...from, root: claim.to.root } })).toBe(false);
  });

  test.each([
    ['proof?partition=0&offset=0', 400, 'topic'],
    ['proof?topic=x&partition=-1&offset=0', 400, 'partition'],
    ['proof?topic=x&partition=2147483648&offset=0', 400, 'partition'],
    ['proof?topic=x&partition=0&offset=1e3', 400, 'offset'],
    ['proof?topic=x&partition=0&offset=0', 404, undefined],
    ['consistency?from=', 400, 'from'],
    ['checkpoints?limit=0', 400, 'limit'],
    ['checkpoints?limit=1001', 400, 'limit'],
    ['checkpoints?after=x', 400, 'after'],
    ['consistency?from=99999999', 409, undefined],
  ])('what cannot be answered says why: %s', async (path, status, field) => {
    const reply = await json(`/v1/record/${path}`);
    expect(reply).toMatchObject({ status, body: { status, detail: expect.any(String) } });
    expect(reply.body.field).toBe(field);
  });
});

test('checkpoints are given a page at a time, each once and oldest first, and read by an index', async () => {
  const own = await createTestDatabase();
  onTestFinished(() => own.close());
  const other = await recorder(own.url);
  onTestFinished(() => other.close());
  await other.query(
    `INSERT INTO checkpoints (size, note, at) SELECT n * 7, 'note ' || n, '2026-11-21T10:00:00Z' FROM generate_series(0, 2499) n`,
  );
  await other.query('ANALYZE');
  const asked = vi.spyOn(other.engine, 'readForPage');
  type Page = { checkpoints: { size: number }[]; next: number | null };
  const page = async (query: string): Promise<Page> =>
    JSON.parse((await other.get(`/v1/record/checkpoints${query}`, tokens.lea)).body);
  const first = await page('');
  expect([first.checkpoints.length, first.next]).toEqual([100, 99 * 7]);
  const sizes: number[] = [];
  for (let next: number | null = null, pages = 0; pages < 3; pages++) {
    const body = await page(`?limit=1000${next === null ? '' : `&after=${next}`}`);
    sizes.push(...body.checkpoints.map(({ size }) => size));
    ({ next } = body);
    expect(next).toBe(pages < 2 ? (pages + 1) * 7_000 - 7 : null);
  }
  expect(sizes).toEqual(Array.from({ length: 2_500 }, (_, n) => n * 7));
  // The last of a page that is full is the last of all.
  expect(await page(`?limit=1000&after=${1_499 * 7}`)).toMatchObject({ next: null });
  for (const [sql, params] of asked.mock.calls)
    expect({ sql, costly: await costlyParts(other.query, sql, params) }).toEqual({ sql, costly: [] });
  // The export has them all.
  const lines = await other.exported();
  expect(lines.filter((line) => line.startsWith('{"checkpoint"'))).toHaveLength(2_500);
});

describe('show', () => {
  test.each([ids.proposal, ids.permit, ids.review, ids.task, 'event-7'])('tells one action by %s', async (id) => {
    const { body } = await json(`/v1/show/${id}`);
    expect(body).toMatchObject({
      id,
      found: true,
      title: 'paid-media-agent: move EUR 20.00 of daily budget from c-1 to c-2 (executed)',
    });
    expect([...new Set(body.lines.map(({ what }: { what: string }) => what))]).toEqual([
      'signal',
      'profile',
      'play',
      'evidence',
      'proposal',
      'rationale',
      'alternative',
      'verdict',
      'rule',
      'review',
      'permit',
      'effect',
    ]);
    expect(body.events.at(-1)).toMatchObject({ type: 'ActionSettled', id: 'event-7', partition: 0 });
    expect(body.events[0]).toMatchObject({ topic: 'signals.inbound.website.v1', type: null, id: ids.signal });
  });

  test('tells everything that came of a signal', async () => {
    const { body } = await json(`/v1/show/${ids.signal}`);
    // The signal's arrival beside the chain, without the profile that another signal changed.
    expect(body.events).toHaveLength(1 + chain.length - 1);
    expect(body.title).toBe('Tier-1 comparison surge: 2 actions proposed');
  });

  test('takes an id of any length and with any character', async () => {
    for (const id of ['x'.repeat(250), 'urn:signal/7?a=b#c', 'a b+c%']) {
      expect(await json(`/v1/show/${encodeURIComponent(id)}`)).toMatchObject({
        status: 200,
        body: { id, found: false },
      });
    }
  });

  test('says where nothing is on record', async () => {
    // The record has U+FFFD for a control character; no address may hold the first of them.
    expect((await json('/v1/show/nobody%00')).status).toBe(400);
    expect(await json('/v1/show/nobody%01')).toEqual({
      status: 200,
      body: {
        id: 'nobody\ufffd',
        found: false,
        title: 'nothing on record has the id nobody\ufffd',
        lines: [],
        events: [],
      },
    });
  });
});

test('an auditor has one export under way; another one is told so, until it has ended', async () => {
  const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const begin = log.engine.beginExport.bind(log.engine);
  vi.spyOn(log.engine, 'beginExport').mockImplementation(() => {
    const reads = begin();
    begun.resolve();
    return { query: async (sql, params) => held.promise.then(() => reads.query(sql, params)) };
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const first = log.exported();
  await begun.promise;
  const reply = await log.get('/v1/record/export', tokens.lea);
  expect([reply.status, JSON.parse(reply.body).title]).toEqual([429, 'Too many exports']);
  held.resolve();
  expect(await first).toHaveLength(1 + 2 + 1 + chain.length + 1_000);
  await expect.poll(async () => (await log.get('/v1/record/export', tokens.lea)).status).toBe(200);
});

test('a checkpoint that was changed in the table is given out as an alarm, not as one that is not signed yet', async () => {
  await log.query('ALTER TABLE checkpoints DISABLE TRIGGER ALL');
  await log.query(`UPDATE checkpoints SET note = replace(note, E'\\n\\n', E'\\nchanged\\n\\n')`);
  await log.query('ALTER TABLE checkpoints ENABLE TRIGGER ALL');
  for (const path of ['checkpoint', 'proof?topic=actions.approved.v1&partition=0&offset=9', 'consistency?from=1']) {
    const { status, body } = await json(`/v1/record/${path}`);
    expect({ path, status, title: body.title }).toEqual({ path, status: 500, title: 'Record altered' });
    expect(body.detail).toContain('countersign verify');
  }
});
