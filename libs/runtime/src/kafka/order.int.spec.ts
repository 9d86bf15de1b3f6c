import { sourceOf, toBinary, topics } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { causeOf, type Job, type JobContext, type JobKind, jobName, type Work } from '../api/runtime.js';
import { migrate } from '../database/database.js';
import { Engine } from '../engine/engine.js';
import type { Handle } from '../inbox/inbox.js';
import type { Outgoing } from '../outbox/outgoing.js';
import { tidy } from '../outbox/tidy.js';
import type { RawRecord } from './entries.js';

/* In which order things are committed, published and forgotten: a real database, and a broker that is away when a test says so. */

const topic = 'reviews.decided.v1';
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };

let database: TestDatabase;
let engine: Engine;
let hand: ReturnType<Engine['byHand']>;
let clock: string;
let away: boolean;
let published: Outgoing[];

/** Says one thing under a cause, as an answer that was set aside. */
const emitDetail = (work: Pick<Work, 'emit' | 'at'>, cause: Parameters<Work['emit']>[0], detail: string): string =>
  work.emit(cause, topics.actionsEscalated, {
    key: 'k',
    type: 'ReviewSetAside',
    data: { reviewId: uuid(1), proposalId: uuid(2), by: 'lea', reason: { code: 'test', detail }, at: work.at },
  });
const details = (): string[] =>
  published.map(({ value }) => (JSON.parse(value) as { reason: { detail: string } }).reason.detail);

const echo: Handle = async (batch) => {
  for (const received of batch.events) emitDetail(batch, causeOf(received), received.event.id);
};

const speaking = jobName<unknown>('speaker');

/** A kind of job that says what it was told to say; `claims` are those it was given. */
class Speaker implements JobKind {
  readonly kind = speaking;
  readonly leaseMs = 60_000;
  readonly batch = 10;
  claims: { jobs: readonly Job[]; context: JobContext }[] = [];

  async work(jobs: readonly Job[], context: JobContext): Promise<void> {
    this.claims.push({ jobs, context });
    await this.end(this.claims.length - 1);
  }

  /** Ends the nth claim, as whoever held it; does something `meanwhile`, with the transaction open. */
  async end(n: number, meanwhile = async (): Promise<void> => undefined): Promise<void> {
    const { jobs = [], context } = this.claims[n] ?? {};
    await context?.finish(jobs, async (owned, work) => {
      await meanwhile();
      for (const job of owned) emitDetail(work, job.cause, `claim ${n}`);
    });
  }
}
let speaker: Speaker;
const schedule = () =>
  engine.transact({ source: 'test', id: 'schedule' }, async (work) =>
    work.schedule({ source: 'test', id: 'schedule' }, { kind: speaking, id: 'one', dueAt: clock, payload: {} }),
  );
const runJobs = () => hand.runDue(speaker as JobKind<never>);
const loseLease = () => hand.db.read(`UPDATE jobs SET lease_until = now() - interval '1 second'`);

let offset = 0;
const record = (id: string): RawRecord => {
  const { headers, value } = toBinary({
    id,
    source: sourceOf('console'),
    type: 'ReviewDecided',
    time: clock,
    data: {
      reviewId: uuid(1),
      subject: { kind: 'proposal', id: uuid(2) },
      digest: 'a'.repeat(64),
      decision: 'approve',
      by: 'lea',
      at: clock,
    },
  });
  offset++;
  return { partition: 0, offset: String(offset), key: Buffer.from('k'), value: Buffer.from(value), headers };
};

/** Resolves when work that was begun waits for a lock, or has ended. */
async function waitsOrEnds(work: Promise<unknown>): Promise<'waits' | 'ended'> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  work.then(end, end);
  for (; !ended; await new Promise((resolve) => setTimeout(resolve, 5))) if (await waiting()) return 'waits';
  return 'ended';
}
/** Somebody waits for a lock. */
const waiting = async (): Promise<boolean> =>
  (await hand.db.read(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
    .length > 0;

const stopped = { scope: 'all', state: 'stopped', by: 'lea' } as const;
/** A version of a control, as it is read from its topic. */
const controlRecord = (version: number, offset: number, scope = 'all'): RawRecord => {
  const { headers, value } = toBinary({
    id: `control-${version}`,
    source: sourceOf('console'),
    type: 'ControlChanged',
    time: clock,
    data: { ...stopped, scope, reason: `version ${version}`, version, changedAt: clock },
  });
  return { partition: 0, offset: String(offset), key: Buffer.from(scope), value: Buffer.from(value), headers };
};
const stateRead = () => hand.db.read('SELECT version, next_offset FROM state_rows NATURAL JOIN state_positions');

/** Makes the COMMIT itself fail where such a row was written, as a full disk does; what it resolves to mends it. */
async function failCommits(event: 'INSERT' | 'UPDATE', table: string, when = 'true'): Promise<() => Promise<unknown>> {
  await hand.db.read(`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$`);
  await hand.db.read(`CREATE CONSTRAINT TRIGGER fails AFTER ${event} ON ${table} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION fail()`);
  return () => hand.db.read(`DROP TRIGGER fails ON ${table}`);
}

beforeEach(async () => {
  clock = '2026-11-21T10:00:00.000Z';
  away = false;
  published = [];
  speaker = new Speaker();
  database = await createTestDatabase();
  await migrate(database.url, []);
  engine = new Engine(
    { name: 'guardrail-validator', port: 0, migrations: [] },
    silent,
    { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: database.url },
    () => clock,
    async (messages) => {
      if (away) throw new kafkajs.KafkaJSError('the broker is away', { retriable: true });
      published.push(...messages);
    },
  );
  hand = engine.byHand(new Map([[topic, echo]]));
});
afterEach(async () => {
  await hand?.db.close();
  await database?.drop();
});

test('an event that two instances are given at once is handled once, even where it has no outputs', async () => {
  const records = [record('quiet')];
  let handled = 0;
  let other: Promise<unknown> | undefined;
  // The first transaction stays open until the other waits for it; were that handled too, nothing would be waited for.
  const quiet: Handle = async () => {
    handled++;
    if (other) return;
    other = both.inbox(topic, records);
    while (handled === 1 && !(await waiting())) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const both = engine.byHand(new Map([[topic, quiet]]));
  await both.inbox(topic, records);
  await other;
  expect(handled).toBe(1);
});

test('a batch whose commit fails has published nothing; when it comes again it publishes once', async () => {
  const records = [record('a'), record('b')];
  const mend = await failCommits('INSERT', 'inbox');
  await expect(hand.inbox(topic, records)).rejects.toThrow(/no space/);
  expect(published).toEqual([]);
  await mend();
  await hand.inbox(topic, records);
  expect(details()).toEqual(['a', 'b']);
});

test('a job and an act whose commit fails have published nothing', async () => {
  await schedule();
  const ofJobs = await failCommits('UPDATE', 'jobs', 'NEW.result_at IS NOT NULL');
  await runJobs();
  expect(published).toEqual([]);
  await ofJobs();
  await failCommits('INSERT', 'inbox');
  const cause = { source: 'test', id: 'act' };
  await expect(engine.transact(cause, async (work) => emitDetail(work, cause, 'act'))).rejects.toThrow(/no space/);
  expect(published).toEqual([]);
});

test('a job that the broker did not acknowledge stays with its result, and is published when it is claimed again', async () => {
  await schedule();
  away = true;
  await runJobs();
  expect(await hand.db.read('SELECT id FROM jobs WHERE result_at IS NOT NULL')).toEqual([{ id: 'one' }]);
  away = false;
  await loseLease();
  await runJobs();
  expect(details()).toEqual(['claim 0']);
  expect(speaker.claims).toHaveLength(1);
  expect(await hand.db.read('SELECT id FROM jobs')).toEqual([]);
});

test('rule 3: a latecomer that finds the row answered publishes what was answered first, and its own answer is dropped', async () => {
  await schedule();
  // The first holder is slow: its lease runs out, and a second one answers, whose publishing is lost.
  const { end } = speaker;
  speaker.end = async () => undefined;
  await runJobs();
  await loseLease();
  speaker.end = end;
  away = true;
  await runJobs();
  away = false;
  expect(speaker.claims).toHaveLength(2);
  await speaker.end(0);
  expect(details()).toEqual(['claim 1']);
  expect(await hand.db.read('SELECT id FROM jobs')).toEqual([]);
});

test('rule 3: of two that end a job at once the second waits, and publishes what the first one stored', async () => {
  await schedule();
  const { end } = speaker;
  speaker.end = async () => undefined;
  await runJobs();
  await loseLease();
  await runJobs();
  speaker.end = end;
  expect(speaker.claims).toHaveLength(2);
  let second: Promise<void> | undefined;
  await speaker.end(0, async () => {
    second = speaker.end(1);
    await waitsOrEnds(second);
  });
  await second;
  expect([...new Set(details())]).toEqual(['claim 0']);
  expect(await hand.db.read('SELECT id FROM jobs')).toEqual([]);
});

test('what was read of a state topic and how far it was read are one transaction', async () => {
  const mend = await failCommits('INSERT', 'state_rows');
  await expect(hand.readState('controls.v1', [controlRecord(1, 0)])).rejects.toThrow(/no space/);
  expect(await hand.db.read('SELECT * FROM state_positions')).toEqual([]);
  await mend();
  await hand.readState('controls.v1', [controlRecord(1, 0)]);
  expect(await stateRead()).toEqual([{ version: 1, next_offset: 1 }]);
});

test('an older version never replaces a newer one, in one batch or a later one, and what was read is never unread', async () => {
  await hand.readState('controls.v1', [controlRecord(3, 4), controlRecord(2, 5)]);
  expect(await stateRead()).toEqual([{ version: 3, next_offset: 6 }]);
  // Another instance reads the same, and is behind.
  await hand.readState('controls.v1', [controlRecord(1, 3)]);
  expect(await stateRead()).toEqual([{ version: 3, next_offset: 6 }]);
});

test('state that a transaction holds changes when it has ended, also where nobody had written it yet', async () => {
  await hand.readState('controls.v1', [controlRecord(1, 0)]);
  for (const scope of ['all', 'agent:paid-media-agent']) {
    let written: Promise<void> | undefined;
    await hand.db.transaction(async (tx) => {
      await engine.state(tx, topics.controls, [scope], 'share');
      written = hand.readState('controls.v1', [controlRecord(2, 1, scope)]);
      expect(await waitsOrEnds(written)).toBe('waits');
    });
    await written;
  }
  expect(await hand.db.read('SELECT DISTINCT version FROM state_rows')).toEqual([{ version: 2 }]);
});

test('of two acts at once on one key of own state, the second waits for the first and builds on what it put', async () => {
  const own = new Engine(
    { name: 'console', port: 0, migrations: [] },
    silent,
    { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: database.url },
    () => clock,
    async (messages) => void published.push(...messages),
  );
  const act = (id: string, meanwhile = async () => undefined as unknown) => {
    const cause = { source: 'test', id };
    return own.transact(cause, async (work) => {
      await work.ownState(topics.controls, ['all']);
      await meanwhile();
      const data = { ...stopped, reason: id };
      return work.putState(cause, topics.controls, { key: 'all', data });
    });
  };
  try {
    // The row is made by the first of them, and is there for the others.
    for (const version of [1, 3]) {
      let second: ReturnType<typeof act> | undefined;
      const first = act(`act ${version}`, async () => {
        second = act(`act ${version + 1}`);
        await waitsOrEnds(second);
      });
      expect(await first).toMatchObject({ result: version });
      expect(await second).toMatchObject({ result: version + 1 });
    }
    expect(await hand.db.read('SELECT version FROM own_state')).toEqual([{ version: 4 }]);
  } finally {
    await own.drain();
  }
});

test('stored outputs are dropped an hour after their offset was committed, and inbox rows a week after their topic forgot the event', async () => {
  const begun = Date.parse(clock);
  const later = (days: number): string => new Date(begun + days * 86_400_000).toISOString();
  await hand.inbox(topic, [record('a')]);
  const committed = offset;
  await hand.inbox(topic, [record('b')]);
  const idsIn = async (table: 'inbox' | 'outbox') =>
    (await hand.db.read<{ id: string }>(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => id);
  const tidyAt = (at: string) => {
    const partitions = [{ partition: 0, offset: String(committed + 1), metadata: null }];
    const admin = { fetchOffsets: async () => [{ topic, partitions }] };
    return tidy(hand.db, admin, engine.service, engine.topics, engine.limits, at);
  };
  const { retentionDays } = engine.topics.find(({ name }) => name === topic) ?? { retentionDays: 0 };
  await tidyAt(later(1 / 25));
  expect(await idsIn('outbox')).toEqual(['a', 'b']);
  // The second one's offset is not committed: it comes again, and its outputs have to be there.
  await tidyAt(later(retentionDays + 6));
  expect(await idsIn('outbox')).toEqual(['b']);
  expect(await idsIn('inbox')).toEqual(['a', 'b']);
  // Of a state topic, which a change each writes a record to and which is kept for ever, a week's rows are kept.
  await hand.db.read(
    `INSERT INTO inbox SELECT (jsonb_populate_record(i, '{"topic": "profiles.v1"}')).* FROM inbox i WHERE id = 'b'`,
  );
  await tidyAt(later(6));
  expect(await idsIn('inbox')).toEqual(['a', 'b', 'b']);
  await tidyAt(later(8));
  expect(await idsIn('inbox')).toEqual(['a', 'b']);
  await tidyAt(later(retentionDays + 8));
  expect(await idsIn('inbox')).toEqual([]);
});

test('an act is known for ever, or for a week where nobody repeats it later', async () => {
  const act = (id: string, known?: 'for a week') =>
    engine.transact({ source: 'test', id }, async () => id, undefined, known);
  const begun = Date.parse(clock);
  const tidyAfter = (days: number) => {
    const at = new Date(begun + days * 86_400_000).toISOString();
    return tidy(hand.db, { fetchOffsets: async () => [] }, engine.service, engine.topics, engine.limits, at);
  };
  for (const repeated of [false, true]) {
    expect(await act('ever')).toMatchObject({ repeated });
    expect(await act('week', 'for a week')).toMatchObject({ repeated });
  }
  await tidyAfter(6);
  expect(await act('week', 'for a week')).toMatchObject({ repeated: true });
  await tidyAfter(8);
  await tidyAfter(800);
  expect(await act('ever')).toMatchObject({ repeated: true });
  expect(await hand.db.read('SELECT id FROM inbox')).toEqual([{ id: 'ever' }]);
});

test('of a dead signal the bytes are kept as long as its topic keeps signals, of another dead event for ever; a replay says that they are gone', async () => {
  const logged: string[] = [];
  const log = { ...silent, warn: (message: string) => logged.push(message) };
  const own = await createTestDatabase();
  try {
    await migrate(own.url, []);
    const settings = { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: own.url };
    const spec = { name: 'signal-ingestion' as const, port: 0, migrations: [] };
    const ingestion = new Engine(
      spec,
      log,
      settings,
      () => clock,
      async (messages) => void published.push(...messages),
    );
    const inbound = ingestion.topics.find(({ types }) => types.length === 0);
    if (!inbound) throw new Error('no topic of signals');
    const broken: Handle = async () => {
      throw new Error('always');
    };
    const theirs = ingestion.byHand(new Map([[inbound.name, broken]]));
    const { headers, value } = toBinary({
      id: 'kim@example.test',
      source: inbound.source,
      type: 'EmailOpened',
      time: clock,
      subject: 'kim@example.test',
      data: { contact: { email: 'kim@example.test' } },
    });
    const key = Buffer.from('kim@example.test');
    const signal = { partition: 0, offset: '1', key, value: Buffer.from(value), headers };
    await theirs.inbox(inbound.name, [signal]);
    await theirs.inbox('dead-letters.replayed.v1', [{ ...signal, offset: '2' }]);
    const letters = () => theirs.db.read('SELECT key, headers, value, erased_at FROM dead_letters ORDER BY "offset"');
    const tidyAfter = (days: number) => {
      const at = new Date(Date.parse(clock) + days * 86_400_000).toISOString();
      return tidy(theirs.db, { fetchOffsets: async () => [] }, spec.name, ingestion.topics, ingestion.limits, at);
    };
    await tidyAfter(inbound.retentionDays - 1);
    const before = await letters();
    expect(before).toMatchObject([
      { value: signal.value, erased_at: null },
      { value: signal.value, erased_at: null },
    ]);
    await tidyAfter(inbound.retentionDays + 1);
    expect(await letters()).toEqual([{ key: null, headers: {}, value: null, erased_at: expect.anything() }, before[1]]);

    const [letter] = published.map((output) => JSON.parse(output.value) as { deadLetterId: string });
    const order = { deadLetterId: letter?.deadLetterId, service: spec.name, by: 'lea', at: clock };
    const event = { id: 'order', source: sourceOf('console'), type: 'DeadLetterReplayed', time: clock, data: order };
    const written = toBinary(event);
    const replay = { partition: 0, offset: '3', key, value: Buffer.from(written.value), headers: written.headers };
    await theirs.inbox('dead-letters.replayed.v1', [replay]);
    expect(logged.at(-1)).toContain('its bytes are no longer kept: have it sent again under a new id');
    await theirs.db.close();
  } finally {
    await own.drop();
  }
});
