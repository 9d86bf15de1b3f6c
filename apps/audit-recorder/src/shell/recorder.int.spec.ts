import { readExport, type StoredLeaf, verifyRecord } from '@countersign/record';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { KafkaFact } from '../core/record.js';
import { chain, inboundSignal, kafkaFact } from '../core/testing.js';
import { Recording } from './recording.consumer.js';
import { type Recorder, recorder, secrets, start, tokens } from './testing.js';

let files: ReturnType<typeof secrets>;
/** Held for the whole file: a server that nothing holds would be started anew for each test. */
let held: TestDatabase;
let database: TestDatabase;
let log: Recorder;

beforeAll(async () => {
  files = secrets();
  held = await createTestDatabase();
});
afterAll(async () => {
  await held.close();
  files.remove();
});
beforeEach(async () => {
  database = await createTestDatabase();
  log = await recorder(database.url);
});
afterEach(async () => {
  await log.close();
  await database.close();
});

const [accepted] = chain as [(typeof chain)[0]];
/** `count` records of one partition. */
const records = (count: number, partition = 0, from = 0): KafkaFact[] =>
  Array.from({ length: count }, (_, n) =>
    kafkaFact({ ...accepted, id: `event-${partition}-${from + n}` }, from + n, partition),
  );
const whole = chain.map((event, n) => kafkaFact(event, n));
const places = async (): Promise<string[]> =>
  (
    await log.query<{ place: string }>(
      `SELECT index || ' ' || topic || ' ' || partition || '/' || "offset" AS place FROM leaves ORDER BY index`,
    )
  ).map(({ place }) => place);
const verify = async (lines?: string[]) => verifyRecord(await readExport(lines ?? (await log.exported())));
/** What nobody may do but the tables' owner, who has to take the lock off first. */
const tamper = async (sql: string): Promise<void> => {
  await log.query(`ALTER TABLE leaves DISABLE TRIGGER append_only`);
  await log.query(sql);
  await log.query(`ALTER TABLE leaves ENABLE TRIGGER append_only`);
};

describe('appending', () => {
  test('makes one leaf of every record, in the order of its partition', async () => {
    await log.append(records(3));
    expect(await places()).toEqual([
      '0 signals.accepted.v1 0/0',
      '1 signals.accepted.v1 0/1',
      '2 signals.accepted.v1 0/2',
    ]);
  });

  test('keeps what nobody can read, what comes twice and what is forged, each as a leaf of its own', async () => {
    const [record] = records(1) as [KafkaFact];
    const topic = record.topic;
    const odd: KafkaFact[] = [
      record,
      { ...record, offset: '1' },
      { ...record, offset: '2', value: Buffer.from('{"forged":true}') },
      { topic, partition: 0, offset: '3', key: null, headers: {}, value: Buffer.from([0xff, 0, 1]) },
      { topic, partition: 0, offset: '4', key: Buffer.from('k'), headers: {}, value: null },
      { ...record, offset: '5', headers: { ...record.headers, ce_id: Buffer.from('nul\u0000and\u0001more') } },
    ];
    await log.append(odd);
    await log.sign();
    const rows = await log.query<{ id: string | null }>('SELECT id FROM leaves ORDER BY index');
    expect(rows.map(({ id }) => id)).toEqual([
      'event-0-0',
      'event-0-0',
      'event-0-0',
      null,
      null,
      'nul\ufffdand\ufffdmore',
    ]);
    expect(await verify()).toMatchObject({ ok: true, size: 6, confirmed: 6, eventsChecked: 6 });
    expect(log.published.filter(({ type }) => type === 'DeadLetter')).toEqual([]);
  });

  test('makes leaves of their own of the records of a topic that was made again, though they stand where others stood', async () => {
    const [first, two] = records(2) as [KafkaFact, KafkaFact];
    await log.append([first, two]);
    const recordConsumer = log.app.get(Recording);
    const again = { ...two, offset: '0', topicId: 'made-again', cause: { source: '~record', id: 'again' } };
    const store = (record: typeof again) =>
      log.transaction((tx) =>
        recordConsumer.store({ at: start, tx, records: [record as never], schedule: () => undefined }),
      );
    await store(again);
    await expect(store(again)).rejects.toThrow(/leaves_place/);
    await log.append(records(1, 1));
    await log.sign();
    expect(await verify()).toMatchObject({ ok: true, size: 4, confirmed: 4 });
    const proof = async (more: string) =>
      JSON.parse((await log.get(`/v1/record/proof?topic=${first.topic}&partition=0&offset=0${more}`, tokens.lea)).body);
    expect(await proof('')).toMatchObject({ index: 2, leaf: { topicId: 'made-again' } });
    expect(await proof('&topicId=made-again')).toMatchObject({ index: 2 });
    expect(await proof('&topicId=')).toMatchObject({ index: 0 });
  });

  test('appends once when a crash makes the same records come again, alone or among others', async () => {
    await log.append(records(4));
    await log.append(records(4));
    await log.append(records(6));
    await log.append(records(2, 0, 2));
    expect(await places()).toHaveLength(6);
    await log.sign();
    expect(await verify()).toMatchObject({ ok: true, size: 6, confirmed: 6 });
  });

  test('leaves no record out: what cannot be appended waits, and nothing becomes a dead letter', async () => {
    await log.append(records(3));
    await log.query(`UPDATE log_head SET size = 1, frontier = sha256('x')`);
    await expect(log.append(records(2, 1))).rejects.toThrow();
    expect(await places()).toHaveLength(3);
    expect(await log.query('SELECT * FROM dead_letters')).toEqual([]);
    expect(await log.query('SELECT * FROM inbox WHERE partition = 1')).toEqual([]);
  });

  test('keeps one sequence when two instances append at once, the same records among theirs', async () => {
    const other = await recorder(database.url);
    // Each gives the batches of a partition in their order, as a consumer does.
    const inOrder = async (to: Recorder, partition: number): Promise<void> => {
      for (let n = 0; n < 10; n++) await to.append(records(30, partition, n * 30));
    };
    await Promise.all([inOrder(log, 0), inOrder(other, 1), inOrder(log, 2), inOrder(other, 2)]);
    await Promise.all([log.sign(), other.sign()]);
    await other.close();
    const [count] = await log.query<{ n: number; last: number }>(
      'SELECT count(*) AS n, max(index) AS last FROM leaves',
    );
    expect(count).toEqual({ n: 900, last: 899 });
    expect(await verify()).toMatchObject({ size: 900, confirmed: 900, problems: [] });
  });

  test('keeps nothing of an inbound signal that would show who it is about', async () => {
    await log.append([inboundSignal('sig-1', 0, 'pat.doe@example.com')]);
    await log.sign();
    const tables = await log.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()`,
    );
    for (const { name } of tables) {
      const rows = await log.query<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`);
      const hex = Buffer.from('pat.doe').toString('hex');
      expect(rows.filter(({ row }) => row.includes('pat.doe') || row.includes(hex))).toEqual([]);
    }
    expect(await log.query('SELECT source, id, kept, octet_length(bytes) AS n FROM leaves')).toEqual([
      { source: '/sources/website', id: 'sig-1', kept: 'commitment', n: 32 },
    ]);
    expect(await verify()).toMatchObject({ ok: true, eventsChecked: 1 });
  });
});

describe('what was appended', () => {
  test.each([
    'UPDATE leaves SET id = NULL',
    'DELETE FROM leaves',
    'TRUNCATE leaves',
    "UPDATE leaves SET ids = '[]'",
    'DELETE FROM subtrees',
    'UPDATE checkpoints SET note = note',
    'TRUNCATE checkpoints',
  ])('cannot be changed: %s', async (sql) => {
    await log.append(records(2));
    await expect(log.query(sql)).rejects.toThrow('the record is append-only');
    expect(await places()).toHaveLength(2);
  });
});

describe('a checkpoint', () => {
  const published = () => log.published.filter(({ type }) => type === 'CheckpointPublished');

  test('signs what was appended, is published under the origin, and the next extends it', async () => {
    for (const size of [5, 300]) {
      await log.append(records(size, size));
      await log.sign();
    }
    expect(published().map(({ topic, key, data }) => ({ topic, key, size: (data as { size: number }).size }))).toEqual([
      { topic: 'record.checkpoints.v1', key: 'countersign.local/record', size: 5 },
      { topic: 'record.checkpoints.v1', key: 'countersign.local/record', size: 305 },
    ]);
    expect(await verify()).toMatchObject({ ok: true, confirmed: 305, checkpointsChecked: 2 });
  });

  test('is not signed while nothing was appended, and once for many batches', async () => {
    await log.append(records(1));
    await log.append(records(1, 1));
    await log.append(records(1, 2));
    await log.sign();
    await log.sign();
    expect(published()).toHaveLength(1);
    expect(await log.query('SELECT kind FROM jobs')).toEqual([]);
  });

  test('is signed before the process ends, without waiting for its time', async () => {
    await log.append(records(3));
    await log.close();
    log = await recorder(database.url);
    expect(await verify()).toMatchObject({ confirmed: 3, checkpointsChecked: 1 });
  });

  test('is refused to a log that no longer holds what was signed', async () => {
    await log.append(records(5));
    await log.sign();
    await tamper(`UPDATE leaves SET leaf_hash = sha256('x') WHERE index = 2`);
    await log.append(records(4, 1));
    await log.sign();
    expect(published()).toHaveLength(1);
  });

  test('is refused to a log that was cut back to an older state', async () => {
    await log.append(records(5));
    const [head] = await log.query<{ size: number; frontier: Buffer }>('SELECT size, frontier FROM log_head');
    await log.append(records(5, 1));
    await log.sign();
    await tamper('DELETE FROM leaves WHERE index >= 5');
    await log.query('UPDATE log_head SET size = $1, frontier = $2', [head?.size, head?.frontier]);
    await log.append(records(2, 2));
    await log.sign();
    expect(published()).toHaveLength(1);
    expect((await verify()).problems).toMatchObject([{ kind: 'size-mismatch' }]);
  });
});

describe('verifying an export', () => {
  beforeEach(async () => {
    await log.append(records(700));
    await log.append(whole.map((fact) => ({ ...fact, partition: 3 })));
    await log.append([inboundSignal('sig-1', 0)]);
    await log.sign();
  });

  test('confirms every leaf offline, over several pages', async () => {
    expect(await verify()).toMatchObject({ ok: true, size: 712, confirmed: 712, eventsChecked: 712 });
  });

  test.each<[string, string, string]>([
    ['the content of an event', `UPDATE leaves SET bytes = 'x' WHERE index = 600`, 'event-altered'],
    ['whether the content of an event is there', `UPDATE leaves SET bytes = NULL WHERE index = 600`, 'event-missing'],
    ['the id of a leaf', `UPDATE leaves SET id = 'other' WHERE index = 600`, 'leaf-altered'],
    [
      'an event with its digest',
      `UPDATE leaves SET bytes = 'x', sha256 = sha256('x') WHERE index = 600`,
      'leaf-altered',
    ],
    ['the offset of a leaf', `UPDATE leaves SET "offset" = 900 WHERE index = 600`, 'leaf-altered'],
  ])('names the leaf of which somebody changed %s', async (_, sql, kind) => {
    await tamper(sql);
    const { ok, problems } = await verify();
    expect(ok).toBe(false);
    expect(problems).toMatchObject([{ kind, at: { leaf: 600 } }]);
  });

  test('notices a leaf that was taken out', async () => {
    await tamper('DELETE FROM leaves WHERE index = 600');
    const { problems } = await verify();
    expect(problems.map(({ kind, at }) => ({ kind, at }))).toContainEqual({ kind: 'gap', at: { leaf: 601 } });
    expect(problems.map(({ kind }) => kind)).toContain('size-mismatch');
  });

  test('notices a checkpoint that was changed, and that the last one was taken out of the lines', async () => {
    await log.append(records(3, 1));
    await log.sign();
    const lines = await log.exported();
    const last = lines.findLastIndex((line) => line.startsWith('{"checkpoint"'));
    expect((await verify(lines.toSpliced(last, 1))).problems).toMatchObject([{ kind: 'checkpoint-missing' }]);
    await log.query('ALTER TABLE checkpoints DISABLE TRIGGER append_only');
    await log.query(`UPDATE checkpoints SET note = replace(note, E'\\n712\\n', E'\\n711\\n')`);
    await log.query('ALTER TABLE checkpoints ENABLE TRIGGER append_only');
    expect((await verify()).problems).toMatchObject([{ kind: 'bad-signature', at: { checkpoint: 1 } }]);
  });

  test('notices a leaf that was rewritten with its hash', async () => {
    const { leafHash } = await import('@countersign/record');
    const opened = await readExport(await log.exported());
    const leaves: StoredLeaf[] = [];
    for await (const page of opened.entries) leaves.push(...page.filter((entry) => 'leaf' in entry));
    const { leaf } = leaves[600] as StoredLeaf;
    const hash = Buffer.from(leafHash({ ...leaf, id: 'other' })).toString('hex');
    await tamper(`UPDATE leaves SET id = 'other', leaf_hash = '\\x${hash}' WHERE index = 600`);
    expect((await verify()).problems).toMatchObject([{ kind: 'root-mismatch' }]);
  });
});

test('the answer to a stream of records is a header line of one length, and a line for each checkpoint and leaf', async () => {
  await log.append(whole.slice(0, 4));
  await log.sign();
  const [before = ''] = await log.exported();
  await log.append(whole.slice(4, 8));
  await log.sign();
  await log.append(whole.slice(8));
  await log.sign();
  const reply = await log.get('/v1/record/export', tokens.lea);
  expect(reply).toMatchObject({ status: 200, type: 'application/x-ndjson' });
  const lines = reply.body.trimEnd().split('\n');
  expect(Object.keys(JSON.parse(lines[0] as string))).toEqual(['origin', 'verifierKey', 'checkpoint']);
  expect(lines[0]?.length).toBeLessThan(before.length + 3);
  expect(lines).toHaveLength(1 + 3 + whole.length);
  expect(await verify(lines)).toMatchObject({ ok: true, confirmed: whole.length, checkpointsChecked: 3 });
});
