import { eventBytes, leafHash, openCheckpoint, sha256, verifyConsistency, verifyInclusion } from '@countersign/record';
import { costlyParts, createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { leafOf } from '../core/leaves.js';
import { chain, inboundSignal, kafkaFact } from '../core/testing.js';
import { readSettings } from './settings.js';
import { type Recorder, recorder, secrets } from './testing.js';

const consoleOrigin = 'https://console.example';
let files: ReturnType<typeof secrets>;
let database: TestDatabase;
let log: Recorder;
const facts = chain.map((event, n) => kafkaFact(event, n));
const [first, second] = facts as [(typeof facts)[0], (typeof facts)[0]];

beforeEach(async () => {
  files = secrets();
  process.env.RECORD_READERS = ` ${consoleOrigin} ,http://127.0.0.1:8088`;
  database = await createTestDatabase();
  log = await recorder(database.url);
  await log.append([first]);
  await log.sign();
  await log.append(facts.slice(1));
  await log.append(Array.from({ length: 600 }, (_, n) => inboundSignal(`busy-${n}`, 1 + n)));
  await log.sign();
});
afterEach(async () => {
  await log.close();
  await database.close();
  files.remove();
  delete process.env.RECORD_READERS;
  vi.restoreAllMocks();
});

const ask = (path: string, origin?: string) =>
  log.app.inject({ url: `/v1/proofs/${path}`, headers: origin === undefined ? {} : { origin } });
const digestOf = (fact: typeof first) => Buffer.from(sha256(eventBytes(fact))).toString('hex');
const placeOf = ({ topic, partition, offset }: typeof first) =>
  `topic=${topic}&partition=${partition}&offset=${offset}`;
const unbase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
const headOf = (note: string) => {
  const { origin, signingKey } = readSettings(process.env);
  const opened = openCheckpoint(note, { origin, keys: [signingKey] });
  if (!opened.ok) throw new Error(opened.detail);
  return opened.checkpoint;
};

test('whoever knows the content of a record gets, without a token, a proof that it is on record', async () => {
  const reply = await ask(`inclusion?${placeOf(second)}&sha256=${digestOf(second)}`);
  expect(reply.statusCode).toBe(200);
  const { index, topicId, checkpoint, proof } = reply.json();
  expect(Object.keys(reply.json()).sort()).toEqual(['checkpoint', 'index', 'proof', 'topicId']);
  expect(topicId).toBeNull();
  const leaf = leafOf(second, new Uint8Array(32)).leaf;
  const claim = { index, head: headOf(checkpoint), proof: proof.map(unbase64) };
  expect(verifyInclusion({ ...claim, leafHash: leafHash(leaf) })).toBe(true);
  expect(verifyInclusion({ ...claim, leafHash: leafHash({ ...leaf, offset: '99' }) })).toBe(false);
});

test('whoever does not know the content learns nothing, not even whether there is a record at this place', async () => {
  const answers = await Promise.all([
    ask(`inclusion?${placeOf(second)}&sha256=${'0'.repeat(64)}`),
    ask(`inclusion?${placeOf({ ...second, offset: '99999' })}&sha256=${digestOf(second)}`),
    ask(`inclusion?topic=nothing&partition=0&offset=0&sha256=${digestOf(second)}`),
  ]);
  const [known] = answers.map((reply) => {
    const { requestId: _, ...problem } = reply.json();
    return problem;
  });
  expect(known).toMatchObject({ status: 404, title: 'Not on record' });
  for (const reply of answers) expect(reply.json()).toMatchObject(known);
});

test('an earlier checkpoint is shown to be a beginning of the latest, also to strangers', async () => {
  const latest = headOf((await ask('checkpoint')).body);
  const reply = await ask('consistency?from=1');
  const { checkpoint, proof } = reply.json();
  expect(headOf(checkpoint)).toEqual(latest);
  const from = { size: 1, root: leafHash(leafOf(first, new Uint8Array(32)).leaf) };
  expect(verifyConsistency({ from, to: latest, proof: proof.map(unbase64) })).toBe(true);
});

test.each([
  ['inclusion?partition=0&offset=0', 400],
  [`inclusion?topic=x&partition=0&offset=0&sha256=${'A'.repeat(64)}`, 400],
  [`inclusion?topic=x&partition=-1&offset=0&sha256=${'a'.repeat(64)}`, 400],
  ['consistency?from=99999999', 409],
  ['consistency?from=-1', 400],
])('what cannot be answered says why: %s', async (path, status) => {
  expect((await ask(path)).json()).toMatchObject({ status, detail: expect.any(String) });
});

test('only the pages of the origins that are set may read the answers, refusals too; the rest of the record stays closed', async () => {
  const allowed = async (path: string, origin?: string) => {
    const { headers } = await ask(path, origin);
    return [headers['access-control-allow-origin'], headers.vary];
  };
  for (const path of ['checkpoint', 'consistency?from=99999999', 'inclusion?topic=x']) {
    expect(await allowed(path, consoleOrigin)).toEqual([consoleOrigin, 'Origin']);
    expect(await allowed(path, 'https://elsewhere.example')).toEqual([undefined, 'Origin']);
    expect(await allowed(path)).toEqual([undefined, 'Origin']);
  }
  for (const path of ['export', 'checkpoints', 'checkpoint', 'proof', 'consistency?from=1']) {
    const reply = await log.app.inject({ url: `/v1/record/${path}`, headers: { origin: consoleOrigin } });
    expect([reply.statusCode, reply.headers['access-control-allow-origin']]).toEqual([401, undefined]);
  }
});

test('whoever asks too often is told to wait, in words that a page may read; somebody else goes on', async () => {
  vi.spyOn(performance, 'now').mockReturnValue(1);
  const from = (remoteAddress: string) =>
    log.app.inject({ url: '/v1/proofs/checkpoint', remoteAddress, headers: { origin: consoleOrigin } });
  const statuses: number[] = [];
  for (let n = 0; n < 201; n++) statuses.push((await from('10.0.0.1')).statusCode);
  expect(statuses.filter((status) => status === 200)).toHaveLength(200);
  const refused = await from('10.0.0.1');
  expect([refused.statusCode, refused.headers['retry-after'], refused.json().title]).toEqual([
    429,
    '1',
    'Too many requests',
  ]);
  expect(refused.headers['access-control-allow-origin']).toBe(consoleOrigin);
  expect((await from('10.0.0.2')).statusCode).toBe(200);
});

test('a proof is found by an index, however long the record is', async () => {
  await log.query('ANALYZE');
  const asked = vi.spyOn(log.engine, 'readForPage');
  await ask(`inclusion?${placeOf(second)}&sha256=${digestOf(second)}`);
  expect(asked.mock.calls.length).toBeGreaterThan(2);
  for (const [sql, params] of asked.mock.calls)
    expect({ sql, costly: await costlyParts(log.query, sql, params) }).toEqual({ sql, costly: [] });
});

test('an address with a path is no origin: the start says so', () => {
  expect(() => readSettings({ ...process.env, RECORD_READERS: 'https://console.example/' })).toThrow('RECORD_READERS');
});
