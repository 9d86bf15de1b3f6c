import { sourceOf, toBinary, topicNamed, topology } from '@countersign/contracts';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defaults } from '../api/limits.js';
import type { RecordConsumer, Records } from '../api/runtime.js';
import { type Database, migrate, openDatabase } from '../database/database.js';
import { runtimeMigrations } from '../database/migrations.js';
import { positionsWithin, readPositions } from '../state/state.js';
import { type PlacedRecord, RecordInbox } from './record-inbox.js';

const topics = topology();
const decided = topicNamed('reviews.decided.v1', topics);
const controls = topicNamed('controls.v1', topics);
const at = '2026-11-21T10:00:00.000Z';

let database: TestDatabase;
let db: Database;
let stored: string[];
let recordConsumer: RecordConsumer;
beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase(database.url, 'test', defaults);
  stored = [];
  recordConsumer = { store: async ({ records }) => void stored.push(...records.map(({ cause }) => cause.id)) };
});
afterEach(async () => {
  await db?.close();
  await database?.close();
});

const recordInbox = (own: RecordConsumer = recordConsumer): RecordInbox =>
  new RecordInbox(
    {
      service: 'audit-recorder',
      db,
      limits: defaults,
      now: () => at,
      bounds: { writable: new Set(), eventBytes: 1_000_000 },
      log: { log: () => undefined, warn: () => undefined },
      onScheduled: () => undefined,
    },
    own,
  );

const record = (topic: PlacedRecord['topic'], partition: number, offset: number, value = 'no event'): PlacedRecord => ({
  topic,
  record: { partition, offset: String(offset), key: null, value: Buffer.from(value) },
});

test('records of several topics and partitions are kept in one go, each once, however often they are delivered', async () => {
  await migrate(database.url, []);
  const first = [record(decided, 0, 0), record(decided, 0, 1), record(decided, 3, 7), record(controls, 0, 0)];
  await recordInbox().process(first);
  await recordInbox().process(first);
  expect(stored).toEqual([
    'reviews.decided.v1/0/0',
    'reviews.decided.v1/0/1',
    'reviews.decided.v1/3/7',
    'controls.v1/0/0',
  ]);
  // Offsets have gaps where a topic is compacted or a producer's transaction left a mark.
  await recordInbox().process([record(decided, 0, 1), record(decided, 0, 5), record(decided, 1, 0)]);
  expect(stored.slice(4)).toEqual(['reviews.decided.v1/0/5', 'reviews.decided.v1/1/0']);
});

test('what is no event, and what breaks its contract, is kept with its fault; an event with what it says', async () => {
  await migrate(database.url, []);
  const seen: Records['records'][number][] = [];
  const event = {
    id: 'one',
    source: sourceOf('console'),
    type: 'ControlChanged',
    time: at,
    data: { scope: 'all', state: 'stopped', by: 'lea', reason: 'a test', version: 1, changedAt: at },
  };
  const { headers, value } = toBinary(event);
  const good = {
    topic: controls,
    record: { partition: 0, offset: '1', key: Buffer.from('all'), value: Buffer.from(value), headers },
  };
  await recordInbox({ store: async ({ records }) => void seen.push(...records) }).process([
    record(decided, 0, 0),
    good,
  ]);
  expect(seen.map(({ event, fault }) => [event?.id, fault?.code])).toEqual([
    [undefined, expect.any(String)],
    ['one', undefined],
  ]);
});

test('what fails is not kept and moves nothing; the same records come again', async () => {
  await migrate(database.url, []);
  const failing: RecordConsumer = {
    store: async (batch) => {
      await batch.tx.query('CREATE TABLE half_done (a int)');
      throw new Error('no room');
    },
  };
  await expect(recordInbox(failing).process([record(decided, 0, 0)])).rejects.toThrow('no room');
  expect(await db.read('SELECT * FROM record_positions')).toEqual([]);
  expect(await db.read(`SELECT to_regclass('half_done') AS made`)).toEqual([{ made: null }]);
  await recordInbox().process([record(decided, 0, 0)]);
  expect(stored).toEqual(['reviews.decided.v1/0/0']);
});

test('a record that a turn holds twice, as after a rebalance, is kept once', async () => {
  await migrate(database.url, []);
  const twice = [0, 1, 0, 1, 2].map((offset) => record(decided, 0, offset));
  await recordInbox().process(twice);
  expect(stored).toEqual([0, 1, 2].map((offset) => `reviews.decided.v1/0/${offset}`));
});

test('of two instances that are given the same records at once, one keeps them and the other finds them kept', async () => {
  await migrate(database.url, []);
  const waits = async () => {
    const [row] = await db.read<{ n: number }>(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return (row?.n ?? 0) > 0;
  };
  // One of them makes the positions; then they are there.
  for (const offset of [0, 1]) {
    stored = [];
    const records = [record(decided, 0, offset), record(controls, 0, offset)];
    let other: Promise<void> | undefined;
    let over = false;
    const slow: RecordConsumer = {
      store: async (batch) => {
        other ??= recordInbox()
          .process(records)
          .finally(() => {
            over = true;
          });
        // It waits for the positions that this transaction holds.
        while (!over && !(await waits()));
        await recordConsumer.store(batch);
      },
    };
    await recordInbox(slow).process(records);
    await other;
    expect(stored).toEqual([`reviews.decided.v1/0/${offset}`, `controls.v1/0/${offset}`]);
  }
});

test('a position moves over offsets that nothing is kept of, where it stands before them and nowhere else', async () => {
  await migrate(database.url, []);
  const at = async () => (await readPositions(db, 'record_positions')).get('reviews.decided.v1/0');
  const pass = (from: number, next: number) => recordInbox().pass(decided.name, 0, String(from), String(next));
  await pass(3, 5);
  expect(await at()).toBe(0);
  await pass(0, 2);
  expect(await at()).toBe(2);
  await recordInbox().process([{ topic: decided, record: { ...record(decided, 0, 2).record, next: '4' } }]);
  expect(await at()).toBe(4);
  await pass(2, 4);
  await pass(5, 6);
  expect(await at()).toBe(4);
  await pass(4, 6);
  expect(await at()).toBe(6);
  expect(stored).toEqual(['reviews.decided.v1/0/2']);
});

test('what was kept under an inbox row before positions were is not kept again', async () => {
  const source = new DataSource({
    type: 'postgres',
    url: database.url,
    migrationsTableName: 'migrations',
    migrations: runtimeMigrations.slice(0, 2),
  });
  await source.initialize();
  await source.runMigrations();
  await source.query(
    `INSERT INTO inbox (topic, source, id, sha256, partition, "offset", at)
     SELECT 'reviews.decided.v1', '~record', 'reviews.decided.v1/0/' || n, '', 0, n, now() FROM generate_series(0, 4) AS n`,
  );
  await source.destroy();
  await migrate(database.url, []);
  await recordInbox().process([record(decided, 0, 3), record(decided, 0, 4), record(decided, 0, 5)]);
  expect(stored).toEqual(['reviews.decided.v1/0/5']);

  const down = new DataSource({
    type: 'postgres',
    url: database.url,
    migrationsTableName: 'migrations',
    migrations: [...runtimeMigrations],
  });
  await down.initialize();
  // Those after it first.
  for (let left = runtimeMigrations.length; left > 2; left--) await down.undoLastMigration();
  expect(await down.query(`SELECT id FROM inbox WHERE source = '~record'`)).toEqual([{ id: 'reviews.decided.v1/0/5' }]);
  await down.destroy();
});

test('records fetched before their topic was made again are not kept under the new one, whoever noticed it', async () => {
  await migrate(database.url, []);
  await db.read(
    `INSERT INTO topic_ids (topic, id, generation, noticed_at) VALUES ('reviews.decided.v1', 'new', 1, now())`,
  );
  const known = (id: string, generation: number) =>
    new Map([[decided.name, { id, generation, starts: {}, noticedAt: at }]]);
  const processWith = (confirm: () => Promise<ReadonlyMap<string, never>>) =>
    new RecordInbox(
      {
        ...{ service: 'audit-recorder', db, limits: defaults, now: () => at, confirm },
        bounds: { writable: new Set(), eventBytes: 1_000_000 },
        log: { log: () => undefined, warn: () => undefined },
        onScheduled: () => undefined,
      },
      { store: async ({ records }) => void stored.push(...records.map(({ topicId = 'first' }) => topicId)) },
    ).process([record(decided, 0, 7)]);
  // It looked before the topic was made again, and another instance has put the positions back since.
  await expect(processWith(async () => known('old', 0) as never)).rejects.toThrow('deleted and made again');
  expect(stored).toEqual([]);
  expect(await db.read('SELECT next_offset FROM record_positions')).toEqual([]);
  await processWith(async () => known('new', 1) as never);
  expect(stored).toEqual(['new']);
});

test('positions ahead of a topic that is still the same say that its broker has lost records, and nothing starts', async () => {
  await migrate(database.url, []);
  await recordInbox().process([record(decided, 2, 9)]);
  const admin = (high: string) =>
    ({ fetchTopicOffsets: async () => [{ partition: 2, offset: high, high, low: '0' }] }) as never;
  const deps = { db, topics: [decided], limits: defaults };
  await expect(positionsWithin({ ...deps, admin: admin('9') }, 'record_positions')).rejects.toThrow(
    'reviews.decided.v1/2 ends at 9 but was read to 10, and it is still the same topic',
  );
  await positionsWithin({ ...deps, admin: admin('10') }, 'record_positions');
});
