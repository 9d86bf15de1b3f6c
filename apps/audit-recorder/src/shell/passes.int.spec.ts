import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readExport, verifyRecord } from '@countersign/record';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { chain, kafkaFact } from '../core/testing.js';
import { type Recorder, recorder, secrets, start, tokens } from './testing.js';

const consoleOrigin = 'https://console.example';
let files: ReturnType<typeof secrets>;
let database: TestDatabase;
let log: Recorder;

beforeEach(async () => {
  files = secrets();
  process.env.RECORD_READERS = consoleOrigin;
  database = await createTestDatabase();
  log = await recorder(database.url);
  await log.append(chain.map((event, n) => kafkaFact(event, n)));
  await log.sign();
});
afterEach(async () => {
  await log.close();
  await database.close();
  files.remove();
  delete process.env.RECORD_READERS;
  vi.restoreAllMocks();
});

const newSecret = () => randomBytes(32).toString('base64url');
const after = (ms: number) => new Date(Date.parse(start) + ms).toISOString();
let offset = 0;

/** The console's event, as the recorder reads it. */
const request = (secret: string, more: object = {}, topic = 'record.passes.v1') => ({
  ...kafkaFact(
    {
      id: randomUUID(),
      at: start,
      topic: 'record.passes.v1',
      type: 'RecordPassRequested',
      data: {
        passId: randomUUID(),
        use: 'export',
        purpose: 'yearly audit',
        secretSha256: createHash('sha256').update(secret).digest('hex'),
        by: 'max',
        at: start,
        expiresAt: after(600_000),
        ...more,
      },
    } as never,
    offset++,
  ),
  topic,
});
async function passOf(more: object = {}): Promise<string> {
  const secret = newSecret();
  await log.append([request(secret, more)]);
  return secret;
}
const path = '/v1/passes/export';
const titleOf = (body: string) => JSON.parse(body).title;

test('whoever has the secret gets the whole record, with the request for it in it', async () => {
  const secret = await passOf();
  await log.sign();
  const reply = await log.get(path, secret);
  expect([reply.status, reply.type]).toEqual([200, 'application/x-ndjson']);
  const report = await verifyRecord(await readExport(reply.body.trimEnd().split('\n')));
  expect(report).toMatchObject({ ok: true, size: chain.length + 1, confirmed: chain.length + 1 });
  const asked = JSON.parse(
    reply.body.split('\n').find((line) => line.includes('"topic":"record.passes.v1"')) as string,
  );
  expect(Buffer.from(asked.bytes, 'base64').toString()).toContain('yearly audit');
  expect(reply.body).not.toContain(secret);
});

test('a secret that nobody asked for with, and the digest of one, open nothing', async () => {
  const secret = await passOf();
  const digest = createHash('sha256').update(secret).digest();
  for (const token of [newSecret(), digest.toString('hex'), digest.toString('base64url'), `${secret}x`, undefined]) {
    const reply = await log.get(path, token);
    expect([token, reply.status]).toEqual([token, 401]);
  }
});

test('a pass opens its export and nothing else of the record', async () => {
  const secret = await passOf();
  for (const page of [
    'record/export',
    'record/checkpoint',
    'record/checkpoints',
    'record/consistency?from=1',
    'show/x',
  ])
    expect([page, (await log.get(`/v1/${page}`, secret)).status]).toEqual([page, 401]);
});

test('what could be a secret is looked up only where a pass opens something, and from one address only so often', async () => {
  const secret = await passOf();
  const read = vi.spyOn(log.engine, 'readForPage');
  for (const page of ['/v1/record/export', '/v1/record/checkpoint', '/v1/show/x', '/nothing', '/health'])
    for (const token of [secret, newSecret()]) await log.get(page, token);
  const lookups = () => read.mock.calls.filter(([sql]) => sql.includes('record_passes')).length;
  expect(lookups()).toBe(0);
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1);
  const from = (remoteAddress: string, token: string) =>
    log.app.inject({
      url: path,
      remoteAddress,
      headers: { origin: consoleOrigin, authorization: `Bearer ${token}` },
    });
  for (let n = 0; n < 200; n++) expect((await from('10.0.0.1', newSecret())).statusCode).toBe(401);
  const refused = await from('10.0.0.1', newSecret());
  expect([refused.statusCode, refused.headers['retry-after'], refused.json().title]).toEqual([
    429,
    '1',
    'Too many requests',
  ]);
  // The page that sent it may read why.
  expect(refused.headers['access-control-allow-origin']).toBe(consoleOrigin);
  expect(lookups()).toBe(200);
  clock.mockRestore();
  expect((await from('10.0.0.2', secret)).statusCode).toBe(200);
});

test('a token of an auditor or of somebody else is no secret of a pass', async () => {
  for (const token of [tokens.lea, tokens.kim]) expect((await log.get(path, token)).status).toBe(403);
});

test('a pass is over at its end, and lasts ten minutes at most, whatever its event says', async () => {
  const short = await passOf({ expiresAt: after(60_000) });
  const endless = await passOf({ expiresAt: '2099-01-01T00:00:00.000Z' });
  const over = await passOf({ expiresAt: after(-1) });
  expect((await log.get(path, over)).status).toBe(401);
  log.setNow(after(59_999));
  expect((await log.get(path, short)).status).toBe(200);
  log.setNow(after(60_000));
  expect((await log.get(path, short)).status).toBe(401);
  log.setNow(after(601_000));
  expect((await log.get(path, endless)).status).toBe(200);
  log.setNow(after(603_000));
  expect((await log.get(path, endless)).status).toBe(401);
});

test('a pass allows three downloads; an event that repeats its secret adds none', async () => {
  const secret = await passOf();
  for (let n = 0; n < 3; n++) expect((await log.get(path, secret)).status).toBe(200);
  const fourth = await log.get(path, secret);
  expect([fourth.status, titleOf(fourth.body)]).toEqual([409, 'Pass used up']);
  await log.append([request(secret)]);
  expect((await log.get(path, secret)).status).toBe(409);
});

test('of many downloads at one moment, one runs for each person, and the others are told to wait', async () => {
  const secrets = [await passOf(), await passOf(), await passOf({ by: 'lea' })];
  const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const begin = log.engine.beginExport.bind(log.engine);
  let holding = true;
  vi.spyOn(log.engine, 'beginExport').mockImplementation(() => {
    const reads = begin();
    begun.resolve();
    return {
      query: async (sql, params) => (holding ? held.promise : Promise.resolve()).then(() => reads.query(sql, params)),
    };
  });
  const first = log.get(path, secrets[0]);
  await begun.promise;
  const second = await log.get(path, secrets[1]);
  expect([second.status, titleOf(second.body)]).toEqual([429, 'Too many exports']);
  holding = false;
  expect((await log.get(path, secrets[2])).status).toBe(200);
  held.resolve();
  expect((await first).status).toBe(200);
  // Whoever was told to wait has lost no download.
  const [row] = await log.query<{ uses: number }>('SELECT uses FROM record_passes WHERE secret_sha256 = $1', [
    createHash('sha256')
      .update(secrets[1] as string)
      .digest('hex'),
  ]);
  expect(row?.uses).toBe(0);
});

test('only the event of the topic that the console alone may write makes a pass', async () => {
  const secret = newSecret();
  await log.append([request(secret, {}, 'reviews.decided.v1')]);
  expect((await log.get(path, secret)).status).toBe(401);
});

test('only pages of the origins that are set may send a secret and read the answer, refusals too', async () => {
  const secret = await passOf();
  const ask = (method: 'GET' | 'OPTIONS', origin: string | undefined, token?: string) =>
    log.app.inject({
      method,
      url: path,
      headers: { ...(origin && { origin }), ...(token && { authorization: `Bearer ${token}` }) },
    });
  const preflight = await ask('OPTIONS', consoleOrigin);
  expect([preflight.statusCode, preflight.body]).toEqual([204, '']);
  expect(preflight.headers).toMatchObject({
    'access-control-allow-origin': consoleOrigin,
    'access-control-allow-headers': 'authorization',
    'access-control-allow-methods': 'GET',
  });
  for (const [token, status] of [
    [secret, 200],
    [newSecret(), 401],
    [tokens.kim, 403],
  ] as const) {
    const reply = await ask('GET', consoleOrigin, token);
    expect([reply.statusCode, reply.headers['access-control-allow-origin'], reply.headers.vary]).toEqual([
      status,
      consoleOrigin,
      'Origin',
    ]);
  }
  for (const origin of ['https://elsewhere.example', 'null', undefined])
    for (const reply of [await ask('OPTIONS', origin), await ask('GET', origin, newSecret())])
      expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  // A token of a person never works from a page.
  const own = await log.app.inject({
    url: '/v1/record/export',
    headers: { origin: consoleOrigin, authorization: `Bearer ${tokens.lea}` },
  });
  expect(own.headers['access-control-allow-origin']).toBeUndefined();
});

test('an old pass is forgotten after a day', async () => {
  await passOf();
  log.setNow(after(86_400_000 + 700_000));
  await log.append([request(newSecret(), { expiresAt: after(86_400_000 + 800_000) })]);
  expect(await log.query('SELECT count(*)::int AS n FROM record_passes')).toEqual([{ n: 1 }]);
});
