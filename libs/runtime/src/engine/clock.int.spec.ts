import { type DataOf, sourceOf, toBinary, topicConfig, topology } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import {
  createTestDatabase,
  type SetClock,
  setClock,
  startTestBroker,
  type TestBroker,
  type TestDatabase,
} from '@countersign/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Batch, type JobKind, jobName, type ServiceSpec } from '../api/runtime.js';
import { Engine } from './engine.js';

/* A real broker and a real database, whose clocks are right; only this process's wall clock is set. */

const topic = 'signals.rejected.v1';
const pausing: ServiceSpec = { name: 'console', port: 0, migrations: [] };
const ring = jobName<unknown>('ring');
const kind = (ran: string[]): JobKind => ({
  kind: ring,
  leaseMs: 10_000,
  batch: 10,
  work: async (jobs, context) => {
    ran.push(...jobs.map((job) => job.id));
    await context.finish(jobs, async () => undefined);
  },
});

let broker: TestBroker;
let database: TestDatabase;
let clock: SetClock;
let kafka: InstanceType<typeof kafkajs.Kafka>;
let made: Engine;
let handled: string[];
let rang: string[];
const logged: string[] = [];
const write = (text: string): void => void logged.push(text);
const log = { log: write, warn: write, error: write };

beforeEach(async () => {
  const topics = topology().map((t) => ({ name: t.name, partitions: 1, config: topicConfig(t) }));
  [broker, database] = await Promise.all([startTestBroker({ topics }), createTestDatabase()]);
  kafka = new kafkajs.Kafka({ clientId: 'test', ...broker.access(), logLevel: kafkajs.logLevel.NOTHING });
  clock = setClock();
  [handled, rang] = [[], []];
  logged.length = 0;
});
afterEach(async () => {
  clock.ahead(0);
  await made?.drain();
  clock.restore();
  await Promise.allSettled([broker?.stop(), database?.drop()]);
});

/** A service that notes what it handles, and sets a job for each. */
async function run(spec: ServiceSpec): Promise<void> {
  const env = {
    ...broker.env(),
    DATABASE_URL: database.url,
    BACKOFF_MAX_MS: '400',
  };
  made = new Engine(spec, log, env);
  await made.prepare();
  const handle = async (batch: Batch): Promise<void> => {
    for (const { event } of batch.events) {
      const { source, id } = event;
      batch.schedule({ source, id }, { kind: ring, id, dueAt: batch.at, payload: {} });
      handled.push(id);
    }
  };
  await made.begin(new Map([[topic, handle]]), [kind(rang)]);
}

async function send(...ids: string[]): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const data: DataOf<'SignalRejected'> = {
    source: '/a',
    reasons: [{ code: 'contract', detail: 'no contact' }],
    receivedAt: '2026-11-21T10:00:00.000Z',
    topic: 'signals.inbound.website.v1',
    partition: 0,
    offset: '0',
    sha256: 'a'.repeat(64),
  };
  const messages = ids.map((id) => {
    const envelope = {
      id,
      source: sourceOf('signal-ingestion'),
      type: 'SignalRejected',
      time: '2026-11-21T10:00:00.000Z',
    };
    return { key: 'k', ...toBinary({ ...envelope, data }) };
  });
  await producer.send({ topic, acks: -1, messages });
  await producer.disconnect();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 600) throw new Error(`waited in vain; said: ${logged.join(' | ')}`);
    await pause(50);
  }
};

test.each([
  [183_000, '183 s ahead of the database'],
  [-60_000, '60 s behind the database'],
])(
  '[case 13] a clock that is set by %i ms: what comes waits, health says so, and all of it is done when it is right again',
  async (ms, detail) => {
    await run(pausing);
    await send('before');
    await until(() => rang.includes('before'));
    expect((await made.health()).checks.clock).toBe('ok');
    clock.ahead(ms);
    await send('during-1', 'during-2');
    await until(() => logged.some((text) => text.includes(`clock ${detail}`)));
    await until(async () => 'paused' in (await made.health()).checks);
    expect(await made.health()).toMatchObject({
      status: 'degraded',
      ready: false,
      well: false,
      checks: { clock: detail },
    });
    expect(() => made.now()).toThrow(detail);
    clock.ahead(0);
    await until(() => rang.length === 3);
    await until(async () => (await made.health()).status === 'ok');
    expect(rang.toSorted()).toEqual(['before', 'during-1', 'during-2']);
    expect(handled).toEqual(['before', 'during-1', 'during-2']);
    expect(await made.read('SELECT 1 FROM dead_letters')).toEqual([]);
  },
);

test('a service that decides nothing by its clock works on, and says that it is off', async () => {
  await run({ ...pausing, anyClock: true });
  clock.ahead(183_000);
  await send('during');
  await until(() => rang.includes('during'));
  const checks = { clock: '183 s ahead of the database' };
  expect(await made.health()).toMatchObject({ status: 'degraded', ready: true, well: false, checks });
});

test.each([-120_000, 120_000])('a step of %i ms: the consumer stays in its group, and goes on', async (ms) => {
  await run({ ...pausing, anyClock: true });
  await send('before');
  await until(() => rang.includes('before'));
  const admin = kafka.admin();
  await admin.connect();
  const members = async (): Promise<number> => (await admin.describeGroups(['console'])).groups[0]?.members.length ?? 0;
  try {
    clock.ahead(ms);
    // Two sessions of the group: who has sent no heartbeat by then is out of it.
    await pause(2 * made.limits.sessionMs);
    expect(await members()).toBe(1);
    await send('after');
    await until(() => rang.includes('after'));
    await until(async () => (await made.health()).checks.consumer === 'running');
    expect(handled).toEqual(['before', 'after']);
  } finally {
    await admin.disconnect();
  }
});
