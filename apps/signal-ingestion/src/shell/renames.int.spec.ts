import type { Harness } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { Store } from './profiles.repository.js';
import { asShipped, instanceOn } from './testing.js';

/* Accounts that get one new name after another while earlier ones are still on their way to the contacts. */

const now = '2026-11-21T10:00:00.000Z';
const crm = 'signals.inbound.crm.v1';
const account = { id: 'acme' };

let removeFiles: () => void;
let database: TestDatabase;
let harness: Harness;
let second: Harness | undefined;

beforeAll(async () => {
  removeFiles = await asShipped();
});
afterAll(() => removeFiles());
const instance = (): Promise<Harness> => instanceOn(database.url, now);
beforeEach(async () => {
  database = await createTestDatabase();
  harness = await instance();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await second?.close();
  second = undefined;
  await harness?.close();
  await database?.drop();
});

let signals = 0;
const send = (type: string, data: Record<string, unknown>, at: Harness = harness, topic = crm) =>
  at.deliver(topic, [{ type, id: `s-${++signals}`, data }]);
const rename = (name: string, at: Harness = harness) => send('AccountUpserted', { account, name }, at);
const contactsOf = (refs: readonly string[]) =>
  harness.deliver(
    crm,
    refs.map((ref) => ({
      type: 'ContactUpserted',
      id: `s-${++signals}`,
      data: { contact: { ref, email: `${ref.slice(4)}@example.com` }, account },
    })),
  );
const numbered = (n: number): string[] => Array.from({ length: n }, (_, i) => `crm:${i}`);
const open = () => harness.query<{ id: string }>(`SELECT id FROM jobs WHERE result_at IS NULL`);
const named = () =>
  harness.query<{ name: string; contacts: number }>(
    `SELECT account_name AS name, count(*)::int AS contacts FROM contact_points WHERE account_id = 'acme' GROUP BY 1 ORDER BY 1`,
  );
/** The database itself counts: whoever commits a second open job of an account is refused. */
const refuseTwo = async (): Promise<void> => {
  await harness.query(`
    CREATE FUNCTION refuse_two() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM jobs WHERE kind = NEW.kind AND result_at IS NULL AND payload->>'accountId' = NEW.payload->>'accountId') > 1
      THEN RAISE EXCEPTION 'two open jobs for one account'; END IF;
      RETURN NULL;
    END $$`);
  await harness.query(
    `CREATE CONSTRAINT TRIGGER refuse_two AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_two()`,
  );
};

test('an account that is renamed faster than its job runs has one job, and every contact ends with the newest name', async () => {
  await contactsOf(numbered(130));
  for (let n = 0; n < 20; n++) await rename(`Acme ${n}`);
  expect(await open()).toHaveLength(1);
  await harness.runJobs();
  expect(await named()).toEqual([{ name: 'Acme 19', contacts: 130 }]);
  expect(await open()).toEqual([]);
});

test('a rename while a piece is given its name waits for that piece, and the job goes on with the newest name', async () => {
  await contactsOf(numbered(230));
  await refuseTwo();
  await rename('Acme 0');
  const store = harness.app.get(Store);
  const misnamed = store.misnamed.bind(store);
  const renames: Promise<unknown>[] = [];
  let pieces = 0;
  vi.spyOn(store, 'misnamed').mockImplementation((...args) => {
    // The piece holds the account here, so this one is handled between it and the next, or a later one.
    if (++pieces <= 3) renames.push(rename(`Acme ${pieces}`));
    return misnamed(...args);
  });
  await harness.runJobs();
  await Promise.all(renames);
  await harness.runJobs();
  expect(renames).toHaveLength(3);
  expect(await named()).toEqual([{ name: 'Acme 3', contacts: 230 }]);
  expect(await open()).toEqual([]);
});

test('a rename after the last piece was committed and before it was published gets a job of its own', async () => {
  await contactsOf(numbered(3));
  await rename('Acme 0');
  // As a process leaves it that dies between the two: the result is there and nobody has deleted the row yet.
  await harness.query(`UPDATE jobs SET result_at = $1, messages = '[]'`, [now]);
  await rename('Acme 1');
  expect(await open()).toHaveLength(1);
  await harness.runJobs();
  expect(await named()).toEqual([{ name: 'Acme 1', contacts: 3 }]);
});

test('a rename while the job waits for a process that died makes no second one, and the job gives the newest name when it is taken up', async () => {
  await contactsOf(numbered(130));
  await refuseTwo();
  await rename('Acme 0');
  const store = harness.app.get(Store);
  // Its connection ends in the middle of the first piece: nothing of it is committed, and its lease runs on.
  vi.spyOn(store, 'changePoints').mockImplementationOnce(async ({ tx }) => {
    await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
  });
  await harness.runJobs();
  await rename('Acme 1');
  expect(await open()).toHaveLength(1);
  await harness.query(`UPDATE jobs SET lease_until = now() - interval '1 second'`);
  await harness.runJobs();
  expect(await named()).toEqual([{ name: 'Acme 1', contacts: 130 }]);
});

test('two instances that rename and give the names at once never have two jobs, and contacts who join meanwhile have the newest name too', async () => {
  await contactsOf(numbered(230));
  await refuseTwo();
  second = await instance();
  const instances = [harness, second];
  const stops = instances.map((service) => service.startJobs());
  await Promise.all(
    instances.map(async (service, i) => {
      for (let n = 0; n < 15; n++) {
        await rename(`Acme ${i} ${n}`, service);
        const ref = `new:${i}-${n}`;
        await send('ContactUpserted', { contact: { ref, email: `${i}-${n}@example.com` }, account }, service);
      }
    }),
  );
  await rename('Acme at last');
  await vi.waitFor(async () => expect(await harness.query('SELECT id FROM jobs')).toEqual([]), 20_000);
  await Promise.all(stops.map((stop) => stop()));
  expect(await named()).toEqual([{ name: 'Acme at last', contacts: 260 }]);
  expect(await harness.query('SELECT fault FROM dead_letters')).toEqual([]);
});

test('jobs that piled up for one account become one when the first of them runs', async () => {
  await contactsOf(numbered(130));
  await rename('Acme 0');
  await harness.query(
    `INSERT INTO jobs (kind, id, due_at, payload, cause, created_at)
     SELECT kind, id || '-' || n, due_at, payload, cause, created_at FROM jobs, generate_series(1, 9) AS n`,
  );
  const pieces = vi.spyOn(harness.app.get(Store), 'misnamed');
  await harness.runJobs();
  expect(pieces).toHaveBeenCalledTimes(2);
  expect(await named()).toEqual([{ name: 'Acme 0', contacts: 130 }]);
});

test('a contact who comes to the account by being joined with another one has its name, also when it changes meanwhile', async () => {
  await rename('Acme 0');
  await send('EmailOpened', { contact: { email: 'jane@example.com' }, account }, harness, 'signals.inbound.mailer.v1');
  await send('ContactUpserted', { contact: { ref: 'crm:17' } });
  await harness.runJobs();
  const store = harness.app.get(Store);
  const misnamed = store.misnamed.bind(store);
  let joining: Promise<unknown> | undefined;
  vi.spyOn(store, 'misnamed').mockImplementation(async (...args) => {
    const ids = await misnamed(...args);
    // The piece has read whom it concerns, and she is not among them yet.
    joining ??= send('ContactUpserted', { contact: { ref: 'crm:17', email: 'jane@example.com' } });
    await joining;
    return ids;
  });
  await rename('Acme 1');
  await harness.runJobs();
  expect(joining).toBeDefined();
  expect((await named()).map(({ name }) => name)).toEqual(['Acme 1']);
});
