import {
  type DataOf,
  highestVersionAt,
  sourceOf,
  toBinary,
  topicConfig,
  topics,
  topology,
} from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { createTestDatabase, startTestBroker, type TestBroker, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServiceSpec } from '../api/runtime.js';
import { Engine } from '../engine/engine.js';

/* The writer of a state topic whose database is not what the topic knows, over a real broker and real databases. */

const writer: ServiceSpec = { name: 'console', port: 0, migrations: [], ownState: [topics.controls] };
const reader: ServiceSpec = { name: 'guardrail-validator', port: 0, migrations: [], state: [topics.controls] };
const patience = { timeout: 30_000, interval: 50 };

let broker: TestBroker;
let kafka: InstanceType<typeof kafkajs.Kafka>;
let [own, other]: TestDatabase[] = [];
const engines: Engine[] = [];
let acts = 0;

const start = async (spec: ServiceSpec, log: string[] = []): Promise<Engine> => {
  const env = {
    ...broker.env(),
    DATABASE_URL: (spec === writer ? own : other)?.url,
    BACKOFF_MS: '50',
  };
  const write = (line: string) => void log.push(line);
  const made = new Engine(spec, { log: write, warn: write, error: write }, env, () => new Date().toISOString());
  engines.push(made);
  await made.prepare();
  await made.begin(new Map(), []);
  return made;
};
/** A person's act on a control; resolves to the version that it made. */
const act = async (made: Engine, reason: string, scope = 'all'): Promise<number> => {
  const cause = { source: 'test', id: `act-${acts++}` };
  const done = await made.transact(cause, async (work) => {
    await work.ownState(topics.controls, [scope]);
    const state = reason.startsWith('stop') ? 'stopped' : 'running';
    const data = { scope, state, by: 'lea', reason } as const;
    return work.putState(cause, topics.controls, { key: scope, data });
  });
  if (done.repeated) throw new Error('a fresh act was known');
  return done.result;
};
const query = async <Row>(database: TestDatabase | undefined, sql: string): Promise<Row[]> => {
  const client = new pg.Client({ connectionString: database?.url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
};
const backUp = () => query(own, 'CREATE TABLE backup AS SELECT * FROM own_state');
const putBack = () => query(own, 'TRUNCATE own_state; INSERT INTO own_state SELECT * FROM backup');
/** What is held of a scope, by the writer's table or a reader's. */
const held = async (table: 'own_state' | 'state_rows', scope = 'all') => {
  const [row] = await query<{ version: string; reason: string }>(
    table === 'own_state' ? own : other,
    `SELECT version, data->>'reason' AS reason FROM ${table} WHERE key = '${scope}'`,
  );
  return row && { version: Number(row.version), reason: row.reason };
};
const bothHold = (version: number, reason: string, scope = 'all') =>
  vi.waitFor(async () => {
    expect(await held('own_state', scope)).toEqual({ version, reason });
    expect(await held('state_rows', scope)).toEqual({ version, reason });
  }, patience);

async function publish(data: Partial<DataOf<'ControlChanged'>> & { version: number }): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const whole = { scope: 'all', state: 'running', by: 'somebody', reason: `record ${data.version}`, ...data };
  const { headers, value } = toBinary({
    id: `record-${acts++}`,
    source: sourceOf('console'),
    type: 'ControlChanged',
    time: '2026-11-21T10:00:00.000Z',
    data: { changedAt: new Date().toISOString(), ...whole },
  });
  await producer.send({ topic: 'controls.v1', acks: -1, messages: [{ key: whole.scope, headers, value }] });
  await producer.disconnect();
}

beforeEach(async () => {
  const topics = topology().map((t) => ({ name: t.name, partitions: 1, config: topicConfig(t) }));
  [broker, own, other] = await Promise.all([startTestBroker({ topics }), createTestDatabase(), createTestDatabase()]);
  kafka = new kafkajs.Kafka({ clientId: 'test', ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
});
afterEach(async () => {
  await Promise.allSettled(engines.splice(0).map((made) => made.drain()));
  await Promise.allSettled([broker?.stop(), own?.drop(), other?.drop()]);
});

test.each([
  ['restored from an older copy', putBack],
  ['made anew', () => query(own, 'TRUNCATE own_state, inbox, jobs')],
])(
  'a writer whose database was %s takes over what it had published, and its next change binds',
  async (_what, lose) => {
    const made = await start(writer);
    await start(reader);
    await act(made, 'stop 1');
    await backUp();
    await act(made, 'resume 2');
    await act(made, 'stop 3');
    expect(await act(made, 'stop campaign', 'agent:a')).toBe(1);
    await bothHold(3, 'stop 3');
    await made.drain();
    await lose();

    const log: string[] = [];
    const again = await start(writer, log);
    expect(await held('own_state')).toEqual({ version: 3, reason: 'stop 3' });
    expect(await held('own_state', 'agent:a')).toEqual({ version: 1, reason: 'stop campaign' });
    expect(log.filter((line) => line.includes('controls.v1: 2 keys (agent:a, all)')).length).toBe(1);
    expect(await again.health()).toMatchObject({ status: 'ok', checks: { stateTakenOver: { 'controls.v1': 2 } } });
    expect(await act(again, 'resume 4')).toBe(4);
    await bothHold(4, 'resume 4');
  },
);

test('a database that is put back under a running writer: its next change binds all the same, and it says so', async () => {
  const log: string[] = [];
  const made = await start(writer, log);
  await start(reader);
  await act(made, 'stop 1');
  await backUp();
  for (const reason of ['resume 2', 'stop 3', 'resume 4']) await act(made, reason);
  await bothHold(4, 'resume 4');
  await putBack();
  await act(made, 'stop now');
  await bothHold(5, 'stop now');
  expect(await made.health()).toMatchObject({
    status: 'degraded',
    checks: { stateOvertaken: { 'controls.v1': 'all' } },
  });
  expect(log.filter((line) => line.includes('controls.v1: 1 keys (all) were published above')).length).toBe(1);
});

test('a version that is given out a second time is void for whoever holds the first: it is raised', async () => {
  const made = await start(writer);
  await start(reader);
  await act(made, 'stop 1');
  await backUp();
  await act(made, 'resume 2');
  await bothHold(2, 'resume 2');
  await putBack();
  await act(made, 'stop now');
  await bothHold(3, 'stop now');
});

test('what was put back under a running writer is found by a straggler too, and the lost change comes back', async () => {
  const made = await start(writer);
  await start(reader);
  await act(made, 'resume 1');
  await backUp();
  await act(made, 'stop 2');
  await bothHold(2, 'stop 2');
  await putBack();
  const [row] = await query<{ value: string }>(own, 'SELECT value FROM own_state');
  await publish(JSON.parse(row?.value ?? '{}'));
  await bothHold(2, 'stop 2');
  expect((await made.health()).status).toBe('degraded');
});

test('what was acted on an older copy and lost again with the next copy still stands at the next start', async () => {
  const made = await start(writer);
  await act(made, 'resume 1');
  await backUp();
  await made.drain();
  // As a release without this would have gone on: the stop is below what readers hold.
  await publish({ version: 3, reason: 'resume 3', changedAt: new Date(Date.now() + 1_000).toISOString() });
  await publish({ version: 2, reason: 'stop 2', changedAt: new Date(Date.now() + 2_000).toISOString() });
  await start(reader);
  await start(writer);
  await bothHold(4, 'stop 2');
});

test.each([
  ['the next one', () => 2],
  ['far above', () => 2 ** 48],
  ['as high as there can be at this time', () => highestVersionAt(Date.now())],
])(
  'a record by somebody else above the writer’s version, %s, is put right at once, and later changes bind',
  async (_what, versionNow) => {
    const log: string[] = [];
    const made = await start(writer, log);
    await start(reader);
    await act(made, 'stop 1');
    await bothHold(1, 'stop 1');
    const version = versionNow();
    // It claims to be the later change.
    await publish({ version, reason: 'foreign', changedAt: '2999-01-01T00:00:00.000Z' });
    await bothHold(version + 1, 'stop 1');
    expect(await made.health()).toMatchObject({
      status: 'degraded',
      checks: { stateOvertaken: { 'controls.v1': 'all' } },
    });
    expect(
      log.filter((line) => line.includes(`controls.v1: of 1 keys (all) somebody else wrote a version above`)).length,
    ).toBe(1);
    expect(await act(made, 'resume')).toBe(version + 2);
    await bothHold(version + 2, 'resume');
    // The same in the moment in which the writer gives out the version itself.
    await publish({ version: version + 3, reason: 'foreign' });
    await act(made, 'stop now');
    await bothHold(version + 4, 'stop now');
  },
);

test('a version that no writer can have reached is no state: readers go on without it and say so', async () => {
  const made = await start(writer);
  const log: string[] = [];
  const read = await start(reader, log);
  await act(made, 'stop 1');
  for (const version of [Number.MAX_SAFE_INTEGER, highestVersionAt(Date.now()) + 60_000_000, 2 ** 60])
    await publish({ version, reason: 'beyond' });
  await publish({ version: Number.MAX_SAFE_INTEGER, scope: 'agent:a' });
  await act(made, 'stop', 'agent:a');
  await bothHold(1, 'stop', 'agent:a');
  await bothHold(1, 'stop 1');
  expect(await read.health()).toMatchObject({
    status: 'ok',
    checks: { stateIgnored: { 'controls.v1': expect.stringMatching(/^4 records, the last at 0\/\d+: version-ahead/) } },
  });
  expect((await made.health()).status).toBe('ok');
  // Compaction keeps the last record of a key: the writer has said its own once more behind the others.
  await vi.waitFor(async () => {
    const [last] = await query<{ at: string }>(other, 'SELECT max(next_offset) AS at FROM state_positions');
    expect(Number(last?.at)).toBeGreaterThanOrEqual(7);
  }, patience);
});

test('the version of a record that nobody can read is passed over', async () => {
  await publish({ version: 7, state: 'no such state' as never, scope: 'agent:a' });
  const made = await start(writer);
  await start(reader);
  expect(await act(made, 'stop', 'agent:a')).toBe(8);
  await bothHold(8, 'stop', 'agent:a');
  await made.drain();
  const again = await start(writer);
  expect((await again.health()).checks.stateTakenOver).toBeUndefined();
});

test('what a table has and its topic does not is published at the start', async () => {
  const made = await start(writer);
  await act(made, 'stop 1');
  await made.drain();
  await query(
    own,
    `UPDATE own_state SET key = 'agent:b', value = replace(value, '"all"', '"agent:b"'), data = data || '{"scope": "agent:b"}'`,
  );
  await start(writer);
  await start(reader);
  await vi.waitFor(async () => expect(await held('state_rows', 'agent:b')).toMatchObject({ version: 1 }), patience);
});

test('two writers side by side, and one that starts beside them, raise no false alarm', async () => {
  const [first, two] = await Promise.all([start(writer), start(writer)]);
  const scopes = ['all', 'agent:a', 'agent:b'];
  const work = Array.from({ length: 60 }, (_, n) => act([first, two][n % 2] as Engine, `stop ${n}`, scopes[n % 3]));
  const three = await start(writer);
  await Promise.all(work);
  await start(reader);
  for (const scope of scopes) {
    const { version, reason } = (await held('own_state', scope)) ?? { version: 0, reason: '' };
    expect(version).toBe(20);
    await bothHold(version, reason, scope);
  }
  // Whoever reads back has read the last change by the time it has been told of a later one.
  await act(first, 'the end', 'agent:z');
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  for (const made of [first, two, three]) {
    const { status, checks } = await made.health();
    expect([status, checks.stateOvertaken, checks.stateTakenOver]).toEqual(['ok', undefined, undefined]);
  }
});

test('a reader alone whose database is an older copy, with its positions, reads what it lacks', async () => {
  const made = await start(writer);
  const first = await start(reader);
  await act(made, 'stop 1');
  await vi.waitFor(async () => expect(await held('state_rows')).toMatchObject({ version: 1 }), patience);
  await first.drain();
  await query(other, 'CREATE TABLE r AS SELECT * FROM state_rows; CREATE TABLE p AS SELECT * FROM state_positions');
  const second = await start(reader);
  await act(made, 'resume 2');
  await vi.waitFor(async () => expect(await held('state_rows')).toMatchObject({ version: 2 }), patience);
  await second.drain();
  await query(
    other,
    'TRUNCATE state_rows, state_positions; INSERT INTO state_rows SELECT * FROM r; INSERT INTO state_positions SELECT * FROM p',
  );
  await start(reader);
  expect(await held('state_rows')).toEqual({ version: 2, reason: 'resume 2' });
});
