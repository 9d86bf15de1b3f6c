import { randomUUID } from 'node:crypto';
import { type DataOf, fromKafka, sourceOf, toBinary, topicConfig, topics, topology } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import {
  createTestDatabase,
  lossyWay,
  startTestBroker,
  startTestPostgres,
  type TestBroker,
  type TestDatabase,
  type TestPostgres,
} from '@countersign/testing';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type Batch,
  causeOf,
  type LookedUp,
  type RecordConsumer,
  type Records,
  type ServiceSpec,
} from '../api/runtime.js';
import type { Handle } from '../inbox/inbox.js';
import { type Publish, publishWith } from '../outbox/publisher.js';
import { Engine } from './engine.js';

/* A real broker and a real database; the handler writes one row per control and announces it as a refusal. */

const spec: ServiceSpec = { name: 'guardrail-validator', port: 0, migrations: [] };
const topic = 'actions.proposed.paid-media-agent.v1';
const out = 'actions.refused.v1';
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const effect: Handle = async (batch) => {
  for (const received of (batch as Batch<'ActionProposed'>).events) {
    const { proposalId, taskId, agent, play, action } = received.event.data;
    await batch.tx.query('INSERT INTO effects (proposal_id) VALUES ($1)', [proposalId]);
    const verdict = {
      outcome: 'refused' as const,
      reasons: [],
      tier: null,
      policy: { version: 0, digest: null },
      at: batch.at,
    };
    const data = {
      proposalId,
      actionId: action.actionId,
      taskId,
      agent,
      play,
      kind: action.kind,
      digest: 'a'.repeat(64),
      verdict,
    };
    batch.emit(causeOf(received), topics.actionsRefused, { key: 'k', data });
  }
};

const proposal = (n: number): DataOf<'ActionProposed'> => ({
  proposalId: uuid(n),
  taskId: uuid(1),
  agent: 'paid-media-agent',
  play: { id: 'a-play', runId: uuid(2), title: 'A play' },
  purpose: 'testing',
  kinds: ['ads.set_bid'],
  action: { actionId: uuid(3), kind: 'ads.set_bid', payload: {} },
  rationale: 'because',
  evidence: [],
  confidence: 1,
  alternatives: [],
  planner: { kind: 'rules', name: 'rules' },
  proposedAt: '2026-11-21T10:00:00.000Z',
  madeFrom: {},
});

let broker: TestBroker;
let database: TestDatabase;
let kafka: InstanceType<typeof kafkajs.Kafka>;
const engines: Engine[] = [];
const cleanups: (() => Promise<unknown>)[] = [];

const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };
const engine = (
  more: { spec?: ServiceSpec; publish?: Publish; url?: string; limits?: Record<string, string> } = {},
): Engine => {
  const env = {
    ...broker.env(),
    DATABASE_URL: more.url ?? database.url,
    SESSION_MS: '6000',
    BACKOFF_MS: '50',
    BACKOFF_MAX_MS: '400',
    BATCH_EVENTS: '20',
    ...more.limits,
  };
  const made = new Engine(more.spec ?? spec, silent, env, () => new Date().toISOString(), more.publish);
  engines.push(made);
  return made;
};
const run = async (made: Engine, handle: Handle = effect): Promise<Engine> => {
  await made.prepare();
  await made.begin(new Map([[topic, handle]]), []);
  return made;
};

async function send(from: number, count: number): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const { headers, value } = toBinary({
      id: `event-${n}`,
      source: sourceOf('paid-media-agent'),
      type: 'ActionProposed',
      time: '2026-11-21T10:00:00.000Z',
      data: proposal(n),
    });
    return { key: `key-${n % 16}`, headers, value };
  });
  await producer.send({ topic, acks: -1, messages });
  await producer.disconnect();
}

interface Seen {
  id: string;
  key: string;
  value: string;
  headers: Record<string, string>;
}
/** Everything on a topic so far, by a reader of its own. */
async function read(name: string): Promise<Seen[]> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(name);
  await admin.disconnect();
  const open = new Map(ends.filter((e) => e.high !== e.low).map((e) => [e.partition, BigInt(e.high)]));
  const seen: Seen[] = [];
  if (open.size === 0) return seen;
  const consumer = kafka.consumer({ groupId: `reader-${Date.now()}-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [name], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ partition, message }) => {
          const event = fromKafka(message);
          const headers = Object.fromEntries(Object.entries(message.headers ?? {}).map(([k, v]) => [k, String(v)]));
          seen.push({
            id: event.ok ? event.event.id : '?',
            key: String(message.key),
            value: String(message.value),
            headers,
          });
          if (BigInt(message.offset) + 1n >= (open.get(partition) ?? 0n)) open.delete(partition);
          if (open.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return seen;
}

const query = async <Row>(sql: string, url = database.url): Promise<Row[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
};
const effects = async (url?: string): Promise<string[]> =>
  (await query<{ proposal_id: string }>('SELECT proposal_id FROM effects ORDER BY 1', url)).map((r) => r.proposal_id);
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds().catch(() => false)); tries++) {
    if (tries > 1_000) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const expected = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => uuid(from + i)).sort();

beforeEach(async () => {
  const topics = topology().map((t) => ({
    name: t.name,
    partitions: t.name === topic ? 4 : 1,
    config: topicConfig(t),
  }));
  [broker, database] = await Promise.all([startTestBroker({ topics }), createTestDatabase()]);
  kafka = new kafkajs.Kafka({ clientId: 'test', ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
  // A primary key on the effect: were an event handled twice, its second transaction would fail and be a dead letter.
  await query('CREATE TABLE effects (proposal_id uuid PRIMARY KEY)');
});
afterEach(async () => {
  await Promise.allSettled(engines.splice(0).map((made) => made.drain()));
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await Promise.allSettled([broker?.stop(), database?.drop()]);
});

test('a crash between commit and publish: the next instance publishes the same bytes', async () => {
  const away: Publish = async () => {
    throw new kafkajs.KafkaJSError('the broker is away', { retriable: true });
  };
  await send(100, 5);
  const first = await run(engine({ publish: away }));
  await until(async () => (await effects()).length === 5);
  await first.drain();
  expect(await read(out)).toEqual([]);
  const stored = await query<{ value: string; headers: string }>('SELECT value, headers FROM outbox');
  expect(stored).toHaveLength(5);

  await run(engine());
  // Events of the same keys come after them on their partitions.
  await send(116, 5);
  const isLater = ({ value }: Seen) => (JSON.parse(value) as { proposalId: string }).proposalId >= uuid(116);
  await until(async () => new Set((await read(out)).filter(isLater).map((e) => e.id)).size === 5);
  const published = (await read(out)).filter((e) => !isLater(e));
  expect(new Set(published.map((e) => e.value))).toEqual(new Set(stored.map((o) => o.value)));
  expect(new Set(published.map((e) => e.headers.ce_id))).toEqual(
    new Set(stored.map((o) => (JSON.parse(o.headers) as Record<string, string>).ce_id)),
  );
  expect(await effects()).toEqual([...expected(100, 5), ...expected(116, 5)]);
});

test('two instances through a rebalance handle the effect of each event once', async () => {
  const first = await run(engine());
  await send(1_000, 200);
  await until(async () => (await effects()).length > 20);
  const second = engine();
  await Promise.all([run(second), send(1_200, 200)]);
  await until(async () => (await effects()).length > 250);
  await Promise.all([first.drain(), send(1_400, 200)]);
  await until(async () => (await effects()).length >= 600);
  expect(await effects()).toEqual(expected(1_000, 600));
  await until(async () => new Set((await read(out)).map((e) => e.id)).size === 600);
  expect(await query('SELECT * FROM dead_letters')).toEqual([]);
});

test('a drained instance leaves nothing behind: what it took is handled, published and committed', async () => {
  const first = await run(engine());
  await send(2_000, 300);
  await until(async () => (await effects()).length > 0);
  await first.drain();
  const done = (await effects()).length;
  expect((await read(out)).length).toBe(done);
  await run(engine());
  await until(async () => (await effects()).length === 300);
  await until(async () => (await read(out)).length >= 300);
  // Offsets were committed at the drain, so nothing was published a second time.
  expect((await read(out)).length).toBe(300);
});

test('while the database is away partitions pause, and when it is back nothing was skipped', async () => {
  const postgres: TestPostgres = await startTestPostgres();
  cleanups.push(() => postgres.stop());
  const own = await createTestDatabase(postgres);
  await query('CREATE TABLE effects (proposal_id uuid PRIMARY KEY)', own.url);
  const made = await run(engine({ url: own.url }));
  await send(3_000, 50);
  await until(async () => (await effects(own.url)).length === 50);
  await postgres.kill();
  await send(3_050, 50);
  await until(async () => Object.keys(((await made.health()).checks.paused as object | undefined) ?? {}).length > 0);
  expect((await made.health()).status).toBe('degraded');
  await postgres.restart();
  await until(async () => (await effects(own.url)).length === 100);
  expect(await effects(own.url)).toEqual(expected(3_000, 100));
  await until(async () => (await made.health()).status === 'ok');
  expect(await query('SELECT * FROM dead_letters', own.url)).toEqual([]);
});

test('a transaction that the database ends for its length is the world’s fault: good events come again until there is time', async () => {
  const own = await createTestDatabase();
  cleanups.push(() => own.drop());
  await query('CREATE TABLE effects (proposal_id uuid PRIMARY KEY)', own.url);
  let slow = true;
  let tries = 0;
  const made = await run(engine({ url: own.url }), async (batch) => {
    tries++;
    if (slow) await batch.tx.query('SELECT pg_sleep(1)');
    await effect(batch);
  });
  // Only now: on a busy machine a migration takes longer than that.
  await query(`ALTER ROLE ${own.name} SET transaction_timeout = '250ms'`, own.superuserUrl);
  await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${own.name}'`, own.superuserUrl);
  await send(4_000, 5);
  // Oftener than an event of its own fault would be tried.
  await until(async () => tries > 8);
  expect((await made.health()).checks.paused).toBeDefined();
  slow = false;
  await until(async () => (await effects(own.url)).length === 5);
  expect(await effects(own.url)).toEqual(expected(4_000, 5));
  expect(await query('SELECT * FROM dead_letters', own.url)).toEqual([]);
});

test('while the role may only read, as after a failover, partitions pause; when another connection may write, work goes on', async () => {
  const own = await createTestDatabase();
  cleanups.push(() => own.drop());
  await query('CREATE TABLE effects (proposal_id uuid PRIMARY KEY)', own.url);
  const made = await run(engine({ url: own.url }));
  const readOnly = (on: 'on' | 'off') =>
    query(`ALTER ROLE ${own.name} SET default_transaction_read_only = ${on}`, own.superuserUrl);
  await readOnly('on');
  await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${own.name}'`, own.superuserUrl);
  await send(5_000, 5);
  const paused = async () => JSON.stringify((await made.health()).checks.paused ?? '');
  await until(async () => (await paused()).includes('25006'));
  await readOnly('off');
  // No session is ended this time: those that may only read have to be given up.
  await until(async () => (await effects(own.url)).length === 5);
  expect(await query('SELECT * FROM dead_letters', own.url)).toEqual([]);
});

test('one connection that falls silent at a commit stops nothing for long: health tells of it, and its events are handled once', async () => {
  const way = await lossyWay(database.url);
  cleanups.push(() => way.close());
  const made = await run(engine({ url: way.url, limits: { SILENT_MS: '6000', QUERY_MS: '600000' } }));
  await send(6_000, 50);
  await until(async () => (await effects()).length === 50);
  const detail = async () => String((await made.health()).checks.database);
  way.loseAnswerTo('COMMIT\0');
  await send(6_050, 50);
  await until(async () => /^no answer for \d+ s$/.test(await detail()));
  await until(async () => new Set((await read(out)).map((e) => e.id)).size === 100);
  expect(await effects()).toEqual(expected(6_000, 100));
  expect(await query('SELECT * FROM dead_letters')).toEqual([]);
  await until(async () => (await made.health()).status === 'ok');
});

test('while the database accepts and answers nobody health says so at once, and afterwards nothing was skipped', async () => {
  const way = await lossyWay(database.url);
  cleanups.push(() => way.close());
  const made = await run(engine({ url: way.url }));
  await send(7_000, 50);
  await until(async () => (await effects()).length === 50);
  way.loseAll();
  await send(7_050, 50);
  expect(await made.health()).toMatchObject({
    status: 'degraded',
    checks: { database: expect.stringMatching(/^no answer for \d+ s$/) },
  });
  way.mend();
  await until(async () => (await effects()).length === 100);
  expect(await effects()).toEqual(expected(7_000, 100));
  await until(async () => (await made.health()).status === 'ok');
});

test('when the broker was killed and is back, work goes on and nothing is lost', async () => {
  const made = await run(engine());
  await send(4_000, 50);
  await until(async () => (await effects()).length === 50);
  await broker.kill();
  await broker.restart();
  await send(4_050, 50);
  await until(async () => (await effects()).length === 100);
  await until(async () => new Set((await read(out)).map((e) => e.id)).size === 100);
  await until(async () => (await made.health()).status === 'ok');
});

test('a poison event is dead-lettered on its topic and the partition goes on', async () => {
  await run(engine(), async (batch) => {
    if ((batch as Batch<'ActionProposed'>).events.some((e) => e.event.data.proposalId === uuid(5_010)))
      throw new Error('cannot handle this');
    await effect(batch);
  });
  await send(5_000, 30);
  await until(async () => (await effects()).length === 29);
  await until(async () => (await read('guardrail-validator.dead-letters.v1')).length > 0);
  const [letter] = await read('guardrail-validator.dead-letters.v1');
  expect(JSON.parse(letter?.value ?? '{}')).toMatchObject({
    id: 'event-5010',
    topic,
    fault: { code: 'handler', detail: 'cannot handle this' },
  });
});

const control = (version: number): DataOf<'ControlChanged'> => ({
  scope: 'all',
  version,
  changedAt: '2026-11-21T10:00:00.000Z',
  state: version % 2 ? 'stopped' : 'running',
  by: 'lea',
  reason: `version ${version}`,
});
async function putControl(version: number, key = 'all'): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const { headers, value } = toBinary({
    id: `control-${version}-${Math.random()}`,
    source: sourceOf('console'),
    type: 'ControlChanged',
    time: '2026-11-21T10:00:00.000Z',
    data: { ...control(version), scope: key },
  });
  await producer.send({ topic: 'controls.v1', acks: -1, messages: [{ key, headers, value }] });
  await producer.disconnect();
}

test('a reader of state keeps the highest version, whatever comes last, and says when it was compared', async () => {
  await putControl(1);
  await putControl(3);
  await putControl(2);
  const made = engine({ spec: { ...spec, state: [topics.controls] } });
  await made.prepare();
  const [row] = await query<{ version: number; data: { reason: string } }>('SELECT version, data FROM state_rows');
  expect(row).toMatchObject({ data: { reason: 'version 3' } });
  expect(made.comparedAgo()['controls.v1']?.()).toBeGreaterThan(0);
});

test('state that could not be written is read again when it can be; nothing is passed over', async () => {
  await engine({ spec: { ...spec, state: [topics.controls] } }).prepare();
  // A sequence counts what is rolled back, too.
  await query('CREATE SEQUENCE tries');
  await query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$`);
  await query('CREATE TRIGGER refuses BEFORE INSERT ON state_rows FOR EACH ROW EXECUTE FUNCTION refuse()');
  await putControl(1);
  await until(async () => (await query<{ tried: boolean }>('SELECT is_called AS tried FROM tries'))[0]?.tried === true);
  await query('DROP TRIGGER refuses ON state_rows');
  const later = 'agent:paid-media-agent';
  await putControl(1, later);
  const keys = async () =>
    (await query<{ key: string }>('SELECT key FROM state_rows ORDER BY key')).map(({ key }) => key);
  await until(async () => (await keys()).includes(later));
  expect(await keys()).toEqual([later, 'all']);
});

test('a state reader whose database was made anew reads from the beginning, wherever its group had got to', async () => {
  await putControl(1);
  const reader = { ...spec, state: [topics.controls] };
  const first = engine({ spec: reader });
  await first.prepare();
  await first.drain();
  await query('TRUNCATE state_rows, state_positions');
  const again = engine({ spec: reader });
  await again.prepare();
  expect(await query('SELECT key, version FROM state_rows')).toEqual([{ key: 'all', version: 1 }]);
});

test('a database that was read to beyond the end of the same topic knows more than its broker, and the start is refused', async () => {
  await putControl(1);
  const reader = { ...spec, state: [topics.controls] };
  const first = engine({ spec: reader });
  await first.prepare();
  await first.drain();
  await query('UPDATE state_positions SET next_offset = next_offset + 1');
  await expect(engine({ spec: reader }).prepare()).rejects.toThrow(
    /ends at 1 but was read to 2, and it is still the same topic/,
  );
  // As docs/sre.md says.
  await query(`UPDATE topic_ids SET id = 'lost' WHERE topic = 'controls.v1'`);
  await engine({ spec: reader }).prepare();
  expect(await query('SELECT next_offset FROM state_positions')).toEqual([{ next_offset: 1 }]);
});

test('a record restored from a backup, or made anew, lacks nothing, wherever its group had got to', async () => {
  class Places implements RecordConsumer {
    async store({ tx, records }: Records): Promise<void> {
      for (const { cause } of records) tx.write('INSERT INTO kept VALUES ($1)', [cause.id]);
    }
  }
  const recorder: ServiceSpec = {
    name: 'audit-recorder',
    port: 0,
    migrations: [],
    recordConsumer: Places,
    gathers: 'record',
  };
  const start = async (): Promise<Engine> => {
    const made = engine({ spec: recorder, limits: { GATHER_MS: '20' } });
    await made.prepare();
    await made.begin(new Map(), [], { recordConsumer: new Places() });
    return made;
  };
  const stored = async (): Promise<string[]> =>
    (await query<{ place: string }>('SELECT place FROM kept ORDER BY place')).map((row) => row.place);
  /** Everything that the topic holds: a producer that tries again may have written some of it twice. */
  const written = async (): Promise<string[]> => {
    const admin = kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    return ends.flatMap(({ partition, high }) =>
      Array.from({ length: Number(high) }, (_, offset) => `${topic}/${partition}/${offset}`),
    );
  };
  const complete = async () => expect((await stored()).sort()).toEqual((await written()).sort());
  await query('CREATE TABLE kept (place text PRIMARY KEY)');
  await send(7_000, 40);
  const first = await start();
  await vi.waitFor(complete, 30_000);
  await first.drain();

  // As a backup would have it: of partition 0 the last two are not there, of partition 1 nothing is.
  const last = [0, 1].map((n) => `'${topic}/0/' || next_offset - 1 - ${n}`).join(', ');
  await query(`DELETE FROM kept USING record_positions WHERE partition = 0 AND place IN (${last})`);
  await query('UPDATE record_positions SET next_offset = next_offset - 2 WHERE partition = 0');
  await query(`DELETE FROM kept WHERE place LIKE '${topic}/1/%'`);
  await query('DELETE FROM record_positions WHERE partition = 1');
  await start();
  await vi.waitFor(complete, 30_000);
});

test('an event that names state which no table can hold is handled; it does not stop its partition', async () => {
  const needs = () => [{ topic: topics.profiles, key: 'a\u0000b', version: 1 }];
  await run(engine({ spec: { ...spec, needs } }));
  await send(8_000, 1);
  await until(async () => (await effects()).length === 1);
});

/** Handles, and notes which version of the control `all` it saw. */
const seeing =
  (versions: number[], engine: () => Engine): Handle =>
  async (batch) => {
    versions.push((await engine().state(batch.tx, topics.controls, ['all'])).get('all')?.version ?? 0);
    await effect(batch);
  };
const needs = () => [{ topic: topics.controls, key: 'all', version: 1 }];
/** Runs an engine whose events wait for the control `all`; what they saw of it when they were handled. */
async function waiting(): Promise<readonly number[]> {
  const versions: number[] = [];
  const limits = { STATE_WAIT_MS: '100' };
  const made: Engine = engine({ spec: { ...spec, state: [topics.controls], needs }, limits });
  await run(
    made,
    seeing(versions, () => made),
  );
  return versions;
}

test('an event waits for state that its topic has, however far behind the reader is', async () => {
  const versions = await waiting();
  const lock = new pg.Client({ connectionString: database.url });
  await lock.connect();
  try {
    await lock.query('BEGIN');
    await lock.query('LOCK TABLE state_rows IN EXCLUSIVE MODE');
    await putControl(1);
    await send(8_100, 1);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await lock.query('COMMIT');
  } finally {
    await lock.end();
  }
  await until(async () => (await effects()).length === 1);
  expect(versions).toEqual([1]);
});

test('an event goes on without state that its topic does not have', async () => {
  const versions = await waiting();
  await send(8_200, 1);
  await until(async () => (await effects()).length === 1);
  expect(versions).toEqual([0]);
});

const assigned = topics.tasksAssigned;
const tasks: LookedUp<'TaskAssigned'> = {
  topic: assigned,
  key: ({ taskId }) => taskId,
  value: ({ agent, kinds }) => ({ agent, kinds }),
};
const ofTasks: ServiceSpec = {
  ...spec,
  lookedUp: [tasks],
  needs: ({ event }) => [{ topic: assigned, key: (event.data as DataOf<'ActionProposed'>).taskId, version: 1 }],
};
async function assign(kinds: string[], taskId = uuid(1)): Promise<void> {
  const { agent, play, purpose } = proposal(1);
  const at = '2026-11-21T10:00:00.000Z';
  const more = { settings: {}, contactIds: [], evidence: [], assignedAt: at, dueAt: at, madeFrom: {} };
  const data: DataOf<'TaskAssigned'> = { taskId, agent, play, purpose, kinds, ...more };
  const event = { id: randomUUID(), source: sourceOf('orchestrator'), type: 'TaskAssigned', time: at, data };
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: assigned.name, messages: [{ key: 'acme', ...toBinary(event) }] });
  await producer.disconnect();
}

test('an event waits for another one that it names, on a topic of its own; the first under an id stands, and is found again by a database made anew', async () => {
  const seen: unknown[] = [];
  const made: Engine = engine({ spec: ofTasks });
  await run(made, async (batch) => {
    seen.push((await made.state(batch.tx, assigned, [uuid(1)])).get(uuid(1)));
    await effect(batch);
  });
  await send(8_300, 1);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(seen).toEqual([]);
  await assign(['ads.set_bid']);
  await until(async () => (await effects()).length === 1);
  const first = { version: 1, data: { agent: 'paid-media-agent', kinds: ['ads.set_bid'] } };
  expect(seen).toEqual([first]);
  await assign(['email.send']);
  await assign(['email.send'], uuid(4));
  const rows = () => query(`SELECT key, version, data FROM state_rows WHERE topic = '${assigned.name}' ORDER BY key`);
  const both = [
    { key: uuid(1), ...first },
    { key: uuid(4), version: 1, data: { agent: 'paid-media-agent', kinds: ['email.send'] } },
  ];
  await until(async () => (await rows()).length === 2);
  expect(await rows()).toEqual(both);
  await made.drain();
  await query('TRUNCATE state_rows, state_positions');
  await engine({ spec: ofTasks }).prepare();
  expect(await rows()).toEqual(both);
});

test('an event goes on without another one that nobody has written', async () => {
  await run(engine({ spec: ofTasks, limits: { STATE_WAIT_MS: '100' } }));
  await send(8_400, 1);
  await until(async () => (await effects()).length === 1);
});

/** A proposal that needs a task, on a partition of an agent's topic. */
async function propose(n: number, partition: number, agent = 'paid-media-agent'): Promise<void> {
  const event = {
    id: `event-${n}`,
    source: sourceOf(agent as 'paid-media-agent'),
    type: 'ActionProposed' as const,
    time: '2026-11-21T10:00:00.000Z',
    data: { ...proposal(n), agent, taskId: uuid(n) },
  };
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({
    topic: `actions.proposed.${agent}.v1`,
    messages: [{ key: 'k', partition, ...toBinary(event) }],
  });
  await producer.disconnect();
}

test('what waits for state that nobody has holds up its own partition and no other, and is nothing wrong; a flood of it, too', async () => {
  const handled: string[] = [];
  const note: Handle = async (batch) => {
    for (const { event } of (batch as Batch<'ActionProposed'>).events) handled.push(event.data.proposalId);
  };
  const made = engine({ spec: ofTasks, limits: { STATE_WAIT_MS: '600000' } });
  await made.prepare();
  const other = 'actions.proposed.sequencing-agent.v1';
  const handlers = [topic, other].map((name) => [name, note] as const);
  await made.begin(new Map(handlers), []);
  // The partition of one, and after it another one's that would need nothing more.
  const assignedOnes = [8_502, 8_503, 8_504, 8_505, 8_506];
  for (const n of assignedOnes) await assign(['ads.set_bid'], uuid(n));
  await propose(8_501, 0);
  await propose(8_502, 0);
  const seen = async (...ns: number[]) => until(async () => ns.every((n) => handled.includes(uuid(n))));
  await propose(8_503, 1);
  await propose(8_504, 0, 'sequencing-agent');
  await seen(8_503, 8_504);
  for (let n = 8_600; n < 8_640; n++) await propose(n, n % 2);
  await propose(8_505, 2);
  await propose(8_506, 0, 'sequencing-agent');
  await seen(8_505, 8_506);
  expect(handled.sort()).toEqual([8_503, 8_504, 8_505, 8_506].map(uuid));
  const { status, checks } = await made.health();
  expect({ status, paused: checks.paused }).toEqual({ status: 'ok', paused: undefined });
  handled.length = 0;
  await assign(['ads.set_bid'], uuid(8_501));
  for (let n = 8_600; n < 8_640; n++) await assign(['ads.set_bid'], uuid(n));
  await until(async () => handled.length === 42);
  const handledOn = (partition: number) => handled.filter((id) => Number(id.slice(-4)) % 2 === partition);
  const flood = (partition: number) => expected(8_600, 40).filter((id) => Number(id.slice(-4)) % 2 === partition);
  expect(handled.indexOf(uuid(8_501))).toBeLessThan(handled.indexOf(uuid(8_502)));
  expect(handledOn(0).filter((id) => id !== uuid(8_502))).toEqual(flood(0));
  expect(handledOn(1).filter((id) => id !== uuid(8_501))).toEqual(flood(1));
});

test('of a flood that nobody assigned each event waits beside the others, and what comes behind it is handled', async () => {
  const waits = '300';
  const made = await run(engine({ spec: ofTasks, limits: { STATE_WAIT_MS: waits, BATCH_EVENTS: '3' } }));
  for (let n = 8_700; n < 8_760; n++) await propose(n, 0);
  await until(async () => (await effects()).length === 60);
  expect(await effects()).toEqual(expected(8_700, 60));
  expect((await made.health()).status).toBe('ok');
});

test('every instance reads all of the state, so it never waits for one that died', async () => {
  const reader = { ...spec, state: [topics.controls] };
  const other = await createTestDatabase();
  cleanups.push(() => other.drop());
  const [first, second] = [engine({ spec: reader }), engine({ spec: reader, url: other.url })];
  await Promise.all([first.prepare(), second.prepare()]);
  await putControl(1);
  const read = async (url: string) => (await query('SELECT 1 FROM state_rows', url)).length === 1;
  await until(async () => (await read(database.url)) && (await read(other.url)));
});

test('an instance that drains while its group rebalances takes no new work', async () => {
  const first = await run(engine());
  await send(6_000, 100);
  await until(async () => (await effects()).length > 0);
  const second = engine();
  await Promise.all([run(second), first.drain(), first.drain()]);
  await until(async () => (await effects()).length === 100);
  expect(await effects()).toEqual(expected(6_000, 100));
  expect(await query('SELECT * FROM dead_letters')).toEqual([]);
});

/** A person's nth act on a control, by a writer of its own state. */
const act = (made: Engine, n: number) =>
  made.transact({ source: 'test', id: `act-${n}` }, async (work) => {
    await work.ownState(topics.controls, ['all']);
    const { version: _v, changedAt: _c, ...data } = control(n);
    return work.putState({ source: 'test', id: `act-${n}` }, topics.controls, { key: 'all', data });
  });
const writer: ServiceSpec = { ...spec, name: 'console', ownState: [topics.controls] };
const lastVersion = async (): Promise<number> => JSON.parse((await read('controls.v1')).at(-1)?.value ?? '{}').version;

test('rule 8: a writer that reads an older last record than its table publishes the current version again', async () => {
  const made = engine({ spec: writer });
  await made.prepare();
  expect(await act(made, 1)).toEqual({ repeated: false, result: 1 });
  expect(await act(made, 2)).toEqual({ repeated: false, result: 2 });
  expect(await act(made, 2)).toEqual({ repeated: true });
  // A straggler of the first version lands last: compaction would keep it, and a late reader would believe it.
  await putControl(1);
  await until(async () => (await lastVersion()) === 2);
  const records = await read('controls.v1');
  expect(records.filter((r) => JSON.parse(r.value).version === 2).every((r) => r.value === records[1]?.value)).toBe(
    true,
  );
});

test('rule 8: a version that the topic never showed is published again, and a repair that failed is tried again', async () => {
  const producer = kafka.producer();
  await producer.connect();
  cleanups.push(() => producer.disconnect());
  const publish = publishWith(producer, 700_000);
  let failures = 3;
  const made = engine({
    spec: writer,
    publish: async (messages) => {
      if (failures-- > 0) throw new kafkajs.KafkaJSError('the broker is away', { retriable: true });
      await publish(messages);
    },
  });
  await made.prepare();
  // Both acts are committed and not published; the third failure is the repair's first try.
  for (const n of [1, 2]) expect(await act(made, n)).toEqual({ repeated: false, result: n });
  await putControl(1);
  await until(async () => (await lastVersion()) === 2);
});
