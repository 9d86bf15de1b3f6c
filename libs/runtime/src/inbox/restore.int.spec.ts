import { type DataOf, fromKafka, sourceOf, toBinary, topicConfig, topics, topology } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { createTestDatabase, startTestBroker, type TestBroker, type TestDatabase } from '@countersign/testing';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Batch, causeOf, type JobKind, jobName, type ServiceSpec } from '../api/runtime.js';
import { Engine } from '../engine/engine.js';
import type { Handle } from './inbox.js';

/*
 * A real broker, and a real database that is put back from an older copy. The handler writes one row per proposal and announces it
 * with the name of the life it was handled in.
 */

const spec: ServiceSpec = { name: 'guardrail-validator', port: 0, migrations: [] };
const topic = 'actions.proposed.paid-media-agent.v1';
const out = 'actions.refused.v1';
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

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
let life: string;
let calls: string[];
let warned: string[];
const engines: Engine[] = [];

const effect: Handle = async (batch) => {
  for (const received of (batch as Batch<'ActionProposed'>).events) {
    const { proposalId, taskId, agent, play, action } = received.event.data;
    calls.push(proposalId);
    await batch.tx.query('INSERT INTO effects (proposal_id) VALUES ($1)', [proposalId]);
    const detail = { rule: 'life', outcome: 'refuse' as const, detail: `in the ${life} life` };
    const verdict = {
      outcome: 'refused' as const,
      reasons: [detail],
      tier: null,
      policy: { version: 0, digest: null },
    };
    const ids = { proposalId, actionId: action.actionId, taskId, agent, play, kind: action.kind };
    const data = { ...ids, digest: 'a'.repeat(64), verdict: { ...verdict, at: batch.at } };
    batch.emit(causeOf(received), topics.actionsRefused, { key: 'k', data, subject: proposalId });
  }
};

const engine = (): Engine => {
  const log = {
    log: () => undefined,
    warn: (detail: string) => void warned.push(detail),
    error: (detail: string) => void warned.push(detail),
  };
  const made = new Engine(spec, log, {
    ...broker.env(),
    DATABASE_URL: database.url,
    BACKOFF_MS: '50',
    BATCH_EVENTS: '20',
    COMMIT_EVERY_MS: '200',
  });
  engines.push(made);
  return made;
};
const run = async (made = engine(), topics = [topic], kinds: JobKind<never>[] = []): Promise<Engine> => {
  await made.prepare();
  await made.begin(new Map(topics.map((name) => [name, effect])), kinds);
  return made;
};
const claims = (): string[] => warned.filter((detail) => detail.includes('older than what was handled'));

async function send(from: number, count: number, to = topic): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const source = sourceOf(to.includes('sequencing') ? 'sequencing-agent' : 'paid-media-agent');
    const time = '2026-11-21T10:00:00.000Z';
    const { headers, value } = toBinary({
      id: `event-${n}`,
      source,
      type: 'ActionProposed',
      time,
      data: proposal(n),
    });
    return { key: `key-${n % 16}`, headers, value };
  });
  await producer.send({ topic: to, acks: -1, messages });
  await producer.disconnect();
}

/** The lives that each verdict on the topic was made in, by proposal. */
async function publishedLives(): Promise<Map<string, Set<string>>> {
  const admin = kafka.admin();
  await admin.connect();
  const open = new Map(
    (await admin.fetchTopicOffsets(out)).filter((e) => e.high !== e.low).map((e) => [e.partition, BigInt(e.high)]),
  );
  await admin.disconnect();
  const lives = new Map<string, Set<string>>();
  if (open.size === 0) return lives;
  const consumer = kafka.consumer({ groupId: `reader-${Date.now()}-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [out], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ partition, message }: kafkajs.EachMessagePayload) => {
      const read = fromKafka(message);
      if (!read.ok) throw new Error(read.fault.detail);
      const { proposalId, verdict } = read.event.data as DataOf<'ActionRefused'>;
      const found = lives.get(proposalId) ?? new Set();
      lives.set(proposalId, found.add(verdict.reasons[0]?.detail ?? ''));
      if (BigInt(message.offset) + 1n >= (open.get(partition) ?? 0n)) open.delete(partition);
      if (open.size === 0) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return lives;
}

const query = async <Row>(sql: string): Promise<Row[]> => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    const result = await client.query(sql);
    return (Array.isArray(result) ? result.at(-1) : result).rows as Row[];
  } finally {
    await client.end();
  }
};
const tables = async (): Promise<string[]> =>
  (await query<{ t: string }>(`SELECT tablename AS t FROM pg_tables WHERE schemaname = current_schema()`)).map(
    ({ t }) => t,
  );
const backUp = async (): Promise<void> => {
  const copies = (await tables()).map((t) => `CREATE TABLE backup.${t} AS TABLE ${t}`);
  await query(['CREATE SCHEMA backup', ...copies].join(';'));
};
/** Puts the copy back, or with `empty` nothing at all: a database made anew. */
const restore = async (empty = false): Promise<void> => {
  const all = (await tables()).filter((t) => t !== 'migrations');
  const back = empty ? [] : all.map((t) => `INSERT INTO ${t} OVERRIDING SYSTEM VALUE SELECT * FROM backup.${t}`);
  await query([`TRUNCATE ${all.join(', ')}`, ...back].join(';'));
};
const effects = async (): Promise<string[]> =>
  (await query<{ id: string }>('SELECT proposal_id AS id FROM effects ORDER BY 1')).map(({ id }) => id);
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds().catch(() => false)); tries++) {
    if (tries > 400) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const expected = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => uuid(from + i)).sort();
const deadLetters = async (): Promise<unknown[]> => query('SELECT * FROM dead_letters');

beforeEach(async () => {
  const topics = topology().map((t) => ({
    name: t.name,
    partitions: t.name === topic ? 4 : 1,
    config: topicConfig(t),
  }));
  [broker, database] = await Promise.all([startTestBroker({ topics }), createTestDatabase()]);
  kafka = new kafkajs.Kafka({ clientId: 'test', ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
  [life, calls, warned] = ['first', [], []];
  // A primary key on the effect: were an event handled twice, its second transaction would fail and be a dead letter.
  await query('CREATE TABLE effects (proposal_id uuid PRIMARY KEY)');
});
afterEach(async () => {
  await Promise.allSettled(engines.splice(0).map((made) => made.drain()));
  await Promise.allSettled([broker?.stop(), database?.drop()]);
});

test('a database put back from an older copy handles again what it lacks, once, and what was said before stands', async () => {
  const first = await run();
  await send(100, 30);
  await until(async () => (await effects()).length === 30);
  await first.drain();
  await backUp();
  const second = await run();
  await send(200, 30);
  await until(async () => (await publishedLives()).size === 60);
  await second.drain();
  await restore();
  expect(await effects()).toEqual(expected(100, 30));

  life = 'second';
  calls = [];
  const third = await run();
  await until(async () => (await effects()).length === 60);
  await send(300, 5);
  await until(async () => (await publishedLives()).size === 65);
  // What the copy had is not handled again.
  expect([...calls].sort()).toEqual([...expected(200, 30), ...expected(300, 5)]);
  expect(await deadLetters()).toEqual([]);
  const lives = await publishedLives();
  for (const id of expected(200, 30)) expect([...(lives.get(id) ?? [])]).toEqual(['in the first life']);
  for (const id of expected(300, 5)) expect([...(lives.get(id) ?? [])]).toEqual(['in the second life']);
  expect(warned.filter((detail) => detail.includes('older than what was handled'))).toHaveLength(1);
  const { checks } = await third.health();
  expect(checks.restored).toBeUndefined();
});

test('a database made anew handles again all that its topics hold', async () => {
  const first = await run();
  await send(100, 30);
  await until(async () => (await publishedLives()).size === 30);
  await first.drain();
  await restore(true);
  life = 'second';
  await run();
  await until(async () => (await effects()).length === 30);
  await send(200, 3);
  await until(async () => (await publishedLives()).size === 33);
  const lives = await publishedLives();
  for (const id of expected(100, 30)) expect([...(lives.get(id) ?? [])]).toEqual(['in the first life']);
  expect(await deadLetters()).toEqual([]);
});

test('a start that was no restore handles nothing again and says nothing of one', async () => {
  const first = await run();
  await send(100, 30);
  await until(async () => (await publishedLives()).size === 30);
  await first.drain();
  calls = [];
  await run();
  await send(200, 3);
  await until(async () => (await publishedLives()).size === 33);
  expect([...calls].sort()).toEqual(expected(200, 3));
  expect(warned.filter((detail) => detail.includes('older than what was handled'))).toEqual([]);
});

test('two instances that start on a database put back handle again what it lacks once, also where the first one dies meanwhile', async () => {
  const first = await run();
  await send(100, 10);
  await until(async () => (await effects()).length === 10);
  await first.drain();
  await backUp();
  const second = await run();
  await send(200, 120);
  await until(async () => (await publishedLives()).size === 130);
  await second.drain();
  await restore();
  life = 'second';
  const [third] = await Promise.all([run(), run()]);
  await until(async () => (await effects()).length > 30);
  await third.drain();
  await until(async () => (await effects()).length === 130);
  await send(400, 3);
  await until(async () => (await publishedLives()).size === 133);
  const lives = await publishedLives();
  for (const id of expected(200, 120)) expect([...(lives.get(id) ?? [])]).toEqual(['in the first life']);
  expect(await deadLetters()).toEqual([]);
});

test('a database that is put back beneath a running service is noticed, and nothing is handled any more', async () => {
  const first = await run();
  await send(100, 10);
  await until(async () => (await effects()).length === 10);
  await first.drain();
  await backUp();
  const second = await run();
  await send(200, 10);
  await until(async () => (await publishedLives()).size === 20);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await restore();
  await send(300, 3);
  await until(async () => (await second.health()).status === 'degraded');
  const { checks } = await second.health();
  expect(checks.database).toContain('put back');
  await second.drain();

  await run();
  await until(async () => (await effects()).length === 23);
  expect(await effects()).toEqual([...expected(100, 10), ...expected(200, 10), ...expected(300, 3)]);
  expect(await deadLetters()).toEqual([]);
});

/** Ends what was scheduled long ago by saying so. */
const late: JobKind = {
  kind: jobName<unknown>('late'),
  leaseMs: 30_000,
  batch: 10,
  work: (jobs, context) =>
    context.finish(jobs, async (owned, work) => {
      for (const job of owned) {
        calls.push(`${job.id} in the ${life} life`);
        const detail = { rule: 'life', outcome: 'refuse' as const, detail: `in the ${life} life` };
        const verdict = {
          outcome: 'refused' as const,
          reasons: [detail],
          tier: null,
          policy: { version: 0, digest: null },
        };
        const { proposalId, taskId, agent, play, action } = proposal(Number(job.id));
        const ids = { proposalId, actionId: action.actionId, taskId, agent, play, kind: action.kind };
        const data = { ...ids, digest: 'a'.repeat(64), verdict: { ...verdict, at: work.at } };
        work.emit(job.cause, topics.actionsRefused, { key: 'k', data, subject: proposalId });
      }
    }),
};
const schedule = (n: number): Promise<unknown> =>
  query(
    `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
     VALUES ('late', '${n}', now() + interval '1 day', '{}', '{"source": "/test", "id": "job-${n}"}', now())`,
  );
const due = (): Promise<unknown> => query(`UPDATE jobs SET due_at = now() - interval '1 minute'`);

test('a job that was done since the copy, though no event was handled since, tells of the restore, and what it said stands', async () => {
  const first = await run();
  await send(100, 10);
  await until(async () => (await publishedLives()).size === 10);
  await schedule(700);
  await first.drain();
  await backUp();
  const second = await run(engine(), [topic], [late as never]);
  await due();
  await until(async () => (await publishedLives()).size === 11);
  await until(async () => (await query('SELECT FROM jobs')).length === 0);
  await second.drain();
  await restore();

  life = 'second';
  const third = await run(engine(), [topic], [late as never]);
  expect(claims()).toHaveLength(1);
  // Every event on the topics may have been worked since the copy, those that the tables know too.
  for (let partition = 0; partition < 4; partition++) {
    const [row] = await query<{ n: string }>(
      `SELECT count(*) AS n FROM inbox WHERE topic = '${topic}' AND partition = ${partition}`,
    );
    if (Number(row?.n) > 0) expect(third.hadRead({ topic, partition, offset: '0' })).toBe(true);
  }
  await due();
  await until(async () => (await query('SELECT FROM jobs')).length === 0);
  expect([...((await publishedLives()).get(uuid(700)) ?? [])]).toEqual(['in the first life']);
});

test('where one partition tells of a restore, events of the others may have been worked since too', async () => {
  const first = await run();
  await send(100, 30);
  await until(async () => (await publishedLives()).size === 30);
  await first.drain();
  await backUp();
  const second = await run();
  await send(200, 1);
  await until(async () => (await publishedLives()).size === 31);
  await second.drain();
  await restore();
  const third = await run();
  expect(claims()).toHaveLength(1);
  const rows = await query<{ partition: number }>(`SELECT DISTINCT partition FROM inbox WHERE topic = '${topic}'`);
  expect(rows.length).toBeGreaterThan(1);
  for (const { partition } of rows) expect(third.hadRead({ topic, partition, offset: '0' })).toBe(true);
});

test('a topic that is new to the service, offsets that the broker has forgotten, a job just done, and an upgrade are no restore', async () => {
  const first = await run(engine(), [topic], [late as never]);
  await send(100, 10);
  await schedule(700);
  await due();
  await until(async () => (await publishedLives()).size === 11);
  await until(async () => (await query('SELECT FROM jobs')).length === 0);
  await first.drain();

  // An upgrade: others have written to the new topic before the service first reads it.
  await send(300, 5, 'actions.proposed.sequencing-agent.v1');
  calls = [];
  const both = [topic, 'actions.proposed.sequencing-agent.v1'];
  const second = await run(engine(), both);
  await until(async () => (await publishedLives()).size === 16);
  expect([...calls].sort()).toEqual(expected(300, 5));
  expect(claims()).toEqual([]);
  await second.drain();

  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteGroups([spec.name]);
  await admin.disconnect();
  await send(400, 5);
  calls = [];
  const third = await run(engine(), both);
  await until(async () => (await publishedLives()).size === 21);
  expect([...calls].sort()).toEqual(expected(400, 5));
  expect(claims()).toEqual([]);
  await third.drain();

  // As the migration finds it: a database of the version before, whose last work was a job's.
  await query(`UPDATE inbox SET at = at - interval '1 hour';
    DROP TABLE jobs_published, own_events, work_positions;
    ALTER TABLE outbox RENAME TO outputs;
    ALTER INDEX outbox_at RENAME TO outputs_at;
    ALTER TABLE jobs RENAME COLUMN messages TO outputs;
    ALTER TABLE gaps RENAME COLUMN reason TO why;
    DELETE FROM migrations WHERE name IN ('WorkPositions1763600000011', 'JobsPublished1763600000014', 'PlainNames1764400000070')`);
  await send(500, 5);
  calls = [];
  const fourth = await run(engine(), both);
  await until(async () => (await publishedLives()).size === 26);
  expect([...calls].sort()).toEqual(expected(500, 5));
  expect(claims()).toEqual([]);
  expect(await fourth.health()).not.toHaveProperty('checks.restored');
});
