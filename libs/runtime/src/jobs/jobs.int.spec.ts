import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { defaults, type Limits } from '../api/limits.js';
import { type Job, type JobContext, type JobKind, jobName } from '../api/runtime.js';
import { type Database, migrate, openDatabase } from '../database/database.js';
import { JobRunner } from './jobs.js';

/** An instance that looks for what it does not know of once a minute: what a test sees sooner, it knew of by itself. */
const rarely: Limits = { ...defaults, jobPollMs: 60_000 };
const patience = { timeout: 15_000, interval: 10 };

let database: TestDatabase;
let db: Database;
let runners: JobRunner[] = [];
let warned: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, []);
  db = openDatabase(database.url, 'test', defaults);
});
afterAll(async () => {
  await db?.close();
  await database?.close();
});
beforeEach(async () => {
  runners = [];
  warned = [];
  await db.read('TRUNCATE jobs');
});
afterEach(async () => {
  await Promise.all(runners.map((runner) => runner.stop()));
});

const runnerOn = (over: Pick<Database, 'read' | 'transaction'>, limits: Limits = rarely): JobRunner => {
  const runner = new JobRunner({
    service: 'console',
    db: { ...db, ...over },
    publish: async () => undefined,
    limits,
    now: () => new Date().toISOString(),
    bounds: { writable: new Set(), eventBytes: limits.eventBytes },
    buries: true,
    log: { warn: (message) => warned.push(message), error: (message) => warned.push(message) },
  });
  runners.push(runner);
  return runner;
};

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

/** Writes jobs as a transaction of some instance does. */
const put = async (kind: string, ids: readonly string[], dueAt = inMs(-1_000)): Promise<void> => {
  await db.read(
    `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
     SELECT $1, id, $3, '{}', '{"source":"test","id":"1"}', $3 FROM unnest($2::text[]) AS id`,
    [kind, ids, dueAt],
  );
};
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n).padStart(4, '0'));
const left = async (kind: string): Promise<number> =>
  (await db.read('SELECT 1 FROM jobs WHERE kind = $1', [kind])).length;

/** A kind that notes each time that a job is worked, and ends its jobs, unless `before` says that they are put off. */
const kindOf = (
  name: string,
  before: (jobs: readonly Job[], context: JobContext) => Promise<unknown> = async () => undefined,
  over: Partial<JobKind> = {},
) => {
  const worked: string[] = [];
  const kind: JobKind = {
    kind: jobName(name),
    leaseMs: 60_000,
    batch: 10,
    ...over,
    work: async (jobs, context) => {
      worked.push(...jobs.map((job) => job.id));
      if ((await before(jobs, context)) !== 'off') await context.finish(jobs, async () => undefined);
    },
  };
  return { kind: kind as JobKind<never>, worked };
};

test('at rest one statement in each poll looks for the jobs of all kinds', async () => {
  const kinds = ids(10).map((name) => kindOf(name));
  const read = vi.fn(db.read);
  const runner = runnerOn({ ...db, read: read as typeof db.read }, { ...defaults, jobPollMs: 100 });
  runner.start(kinds.map(({ kind }) => kind));
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  expect(read.mock.calls.length).toBeGreaterThanOrEqual(5);
  expect(read.mock.calls.length).toBeLessThanOrEqual(11);
});

test('a job that is due later is worked when it is due, whoever scheduled it before the look, without a poll', async () => {
  const { kind, worked } = kindOf('a');
  await put('a', ['first'], inMs(400));
  await put('a', ['second'], inMs(700));
  const runner = runnerOn(db);
  runner.start([kind]);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(worked).toEqual([]);
  await vi.waitFor(() => expect(worked).toEqual(['first']), { timeout: 3_000, interval: 5 });
  await vi.waitFor(() => expect(worked).toEqual(['first', 'second']), { timeout: 3_000, interval: 5 });
});

test('a job that this instance schedules for an earlier time than what it waits for is worked at that time', async () => {
  const { kind, worked } = kindOf('a');
  await put('a', ['far'], inMs(3_600_000));
  const runner = runnerOn(db);
  runner.start([kind]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const dueAt = inMs(300);
  await put('a', ['near'], dueAt);
  runner.note([{ kind: 'a', dueAt }]);
  await vi.waitFor(() => expect(worked).toEqual(['near']), { timeout: 3_000, interval: 5 });
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(dueAt));
});

test('a job that is scheduled while the runner looks, too late for that look, is not forgotten', async () => {
  const { kind, worked } = kindOf('a');
  let late = true;
  const runner = runnerOn({
    ...db,
    read: async <Row>(sql: string, params?: readonly unknown[]) => {
      const rows = await db.read<Row>(sql, params);
      if (late && sql.includes('SKIP LOCKED')) {
        late = false;
        await put('a', ['meanwhile']);
        runner.note([{ kind: 'a', dueAt: inMs(-1_000) }]);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return rows;
    },
  });
  runner.start([kind]);
  await vi.waitFor(() => expect(worked).toEqual(['meanwhile']), { timeout: 3_000, interval: 5 });
});

test('a job that is put off, and one that fails by itself, come again at their time without a poll', async () => {
  let tries = 0;
  const off = kindOf('off', async ([job], context) => {
    if (tries++ > 0) return undefined;
    await context.later(job as Job, inMs(200));
    return 'off';
  });
  const failing = kindOf('failing', async () => {
    if (failing.worked.length === 1) throw new Error('of its own');
  });
  await put('off', ['1']);
  await put('failing', ['1']);
  runnerOn(db).start([off.kind, failing.kind]);
  await vi.waitFor(() => expect([off.worked.length, failing.worked.length]).toEqual([2, 2]), patience);
  await vi.waitFor(async () => expect([await left('off'), await left('failing')]).toEqual([0, 0]), patience);
});

test('the backlog of one kind takes nothing from another, and each kind keeps its own limits', async () => {
  let open = (): void => undefined;
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  let together = 0;
  let most = 0;
  const sizes: number[] = [];
  const crowd = kindOf(
    'crowd',
    async (jobs) => {
      sizes.push(jobs.length);
      most = Math.max(most, ++together);
      await closed;
      together--;
    },
    { batch: 7, parallel: 3 },
  );
  const single = kindOf('single', async () => undefined, { batch: 2 });
  await put('crowd', ids(100));
  const runner = runnerOn(db);
  runner.start([crowd.kind, single.kind]);
  await vi.waitFor(() => expect(crowd.worked).toHaveLength(21), patience);
  await put('single', ids(5));
  runner.note([{ kind: 'single', dueAt: inMs(-1_000) }]);
  await vi.waitFor(async () => expect(await left('single')).toBe(0), patience);
  expect(crowd.worked).toHaveLength(21);
  open();
  await vi.waitFor(async () => expect(await left('crowd')).toBe(0), patience);
  expect(most).toBe(3);
  expect(Math.max(...sizes)).toBe(7);
  expect(crowd.worked.toSorted()).toEqual(ids(100));
});

test('of the jobs of a kind, those that are due first are worked first', async () => {
  const { kind, worked } = kindOf('a', async () => undefined, { batch: 2 });
  const order = ids(9);
  for (const [n, id] of order.toReversed().entries()) await put('a', [id], inMs(-1_000 - n * 1_000));
  runnerOn(db).start([kind]);
  await vi.waitFor(() => expect(worked).toEqual(order), patience);
});

test('several instances work each job once, while jobs are scheduled by all of them', async () => {
  const pool = Array.from({ length: 3 }, () => ({
    a: kindOf('a', async () => undefined, { batch: 3, parallel: 2 }),
    b: kindOf('b', async () => undefined, { batch: 5 }),
  }));
  const instances = pool.map(({ a, b }) => {
    const runner = runnerOn(db, { ...defaults, jobPollMs: 50 });
    runner.start([a.kind, b.kind]);
    return runner;
  });
  const all = ids(300);
  for (let n = 0; n < all.length; n += 10) {
    for (const kind of ['a', 'b']) {
      await put(kind, all.slice(n, n + 10));
      instances[n % 3]?.note([{ kind, dueAt: inMs(-1_000) }]);
    }
  }
  await vi.waitFor(async () => expect([await left('a'), await left('b')]).toEqual([0, 0]), patience);
  expect(pool.flatMap(({ a }) => a.worked).toSorted()).toEqual(all);
  expect(pool.flatMap(({ b }) => b.worked).toSorted()).toEqual(all);
  expect(pool.filter(({ a, b }) => a.worked.length + b.worked.length > 0).length).toBeGreaterThan(1);
});

test('what another instance schedules or leaves is found by the poll, and a lease is taken over when it ends', async () => {
  const { kind, worked } = kindOf('a');
  const runner = runnerOn(db, { ...defaults, jobPollMs: 1_000 });
  runner.start([kind]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await put('a', ['scheduled']);
  await vi.waitFor(() => expect(worked).toEqual(['scheduled']), patience);
  await put('a', ['left']);
  const [row] = await db.read<{ lease_until: Date }>(
    `UPDATE jobs SET claims = 1, lease_until = clock_timestamp() + interval '2700 milliseconds' RETURNING lease_until`,
  );
  await vi.waitFor(() => expect(worked).toEqual(['scheduled', 'left']), { timeout: 15_000, interval: 5 });
  const lateMs = Date.now() - Number(row?.lease_until);
  expect(lateMs).toBeGreaterThanOrEqual(0);
  // Not at some poll after it.
  expect(lateMs).toBeLessThan(500);
});

test('a look that fails is told, forgets nothing and is repeated', async () => {
  const { kind, worked } = kindOf('a');
  let away = 3;
  const runner = runnerOn({
    ...db,
    read: async <Row>(sql: string, params?: readonly unknown[]) => {
      if (away-- > 0)
        throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
      return db.read<Row>(sql, params);
    },
  });
  await put('a', ['1']);
  runner.start([kind]);
  await vi.waitFor(() => expect(worked).toEqual(['1']), patience);
  expect(warned).toHaveLength(3);
});

test('once it is stopped, a runner claims nothing, and what is in work is ended first', async () => {
  let open = (): void => undefined;
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { kind, worked } = kindOf('a', async () => closed, { batch: 1 });
  await put('a', ['1', '2']);
  const runner = runnerOn(db);
  runner.start([kind]);
  await vi.waitFor(() => expect(worked).toEqual(['1']), patience);
  const stopped = runner.stop();
  open();
  await stopped;
  expect(worked).toEqual(['1']);
  expect(await left('a')).toBe(1);
});

test('a table of many deadlines is not read to claim what is due, also with a plan that was made before', async () => {
  await db.read(
    `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
     SELECT 'a', n::text, now() + n * interval '1 minute', '{}', '{}', now() FROM generate_series(1, 200000) AS n`,
  );
  await db.read('ANALYZE jobs');
  const own = openDatabase(database.url, 'test', { ...defaults, connections: 1 });
  try {
    await own.read('SET plan_cache_mode = force_generic_plan');
    const texts: string[] = [];
    const runner = runnerOn({
      ...own,
      read: async <Row>(sql: string, params?: readonly unknown[]) => {
        texts.push(sql);
        return own.read<Row>(sql, params);
      },
    });
    const { kind } = kindOf('a');
    expect(await runner.runDue(kind)).toBe(0);
    const at = inMs(0);
    const rows = await own.read<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, COSTS OFF) ${texts[0]}`, [
      ['a'],
      [6_000],
      [10],
      at,
      true,
    ]);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Tid Scan/);
    expect(plan).toMatch(/jobs_due/);
    expect(plan).not.toMatch(/Seq Scan on jobs/);
  } finally {
    await own.close();
  }
});
