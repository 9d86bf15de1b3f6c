import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAll, write } from '@countersign/client';
import {
  acls,
  type DataOf,
  derivedId,
  shippedDeployment,
  sourceOf,
  topicConfig,
  topology,
} from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { startTestBroker, type TestBroker } from '@countersign/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { program } from '../program.js';

const user = (name: string) => ({ name, password: `password-of-${name}` });
const account = (name: string) => ({ username: name, password: user(name).password });
const at = '2026-11-21T10:00:00.000Z';
const letter = (n: number): DataOf<'DeadLetter'> => ({
  deadLetterId: derivedId('dead letter', n),
  service: 'orchestrator',
  topic: 'signals.accepted.v1',
  partition: 0,
  offset: String(n),
  sha256: 'b'.repeat(64),
  fault: { code: 'contract', says: 'data.quality: required' },
  attempts: 3,
  at,
});

const deployment = { ...shippedDeployment, sources: shippedDeployment.sources.map((s) => ({ ...s, title: s.name })) };

let broker: TestBroker;
let folder: string;

beforeAll(async () => {
  const topics = topology();
  broker = await startTestBroker({
    users: [user('console'), user('orchestrator')],
    topics: topics.map((topic) => ({ name: topic.name, partitions: topic.partitions, config: topicConfig(topic) })),
    acls: acls(topics),
  });
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
  mkdirSync(join(folder, '.countersign'));
  const principals = { console: account('console') };
  const kafka = { bootstrap: broker.bootstrap, mechanism: 'scram-sha-256', principals };
  writeFileSync(join(folder, '.countersign', 'run.json'), JSON.stringify({ kafka, deployment }));
});

afterAll(async () => {
  await broker?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

const run = async (
  ...args: string[]
): Promise<{ code: number; answer: { deadLetters?: { deadLetterId: string; replayed: unknown }[] } }> => {
  let out = '';
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text.toString();
    return true;
  });
  try {
    process.exitCode = 0;
    await program().parseAsync(['--json', 'dead-letters', ...args], { from: 'user' });
    return { code: Number(process.exitCode), answer: out === '' ? {} : JSON.parse(out) };
  } finally {
    process.exitCode = 0;
    vi.restoreAllMocks();
  }
};

const as = (name: string) => new kafkajs.Kafka({ ...broker.access(user(name)), logLevel: kafkajs.logLevel.NOTHING });

test("dead letters are listed from Kafka and replayed by an order under the console's principal", async () => {
  expect(await run('list')).toEqual({ code: 0, answer: { deadLetters: [] } });

  const letters = [1, 2].map((n) => ({
    key: 'k',
    event: { id: `e-${n}`, source: sourceOf('orchestrator'), type: 'DeadLetter' as const, time: at, data: letter(n) },
  }));
  await write(as('orchestrator'), broker.bootstrap, 'orchestrator.dead-letters.v1', letters);
  const listed = await run('list', '--service', 'orchestrator');
  expect(listed.code).toBe(1);
  expect(listed.answer.deadLetters?.map((row) => row.deadLetterId).sort()).toEqual(
    [letter(1).deadLetterId, letter(2).deadLetterId].sort(),
  );

  const first = letter(1).deadLetterId;
  expect((await run('replay', first.slice(0, 8), '--by', 'lea')).code).toBe(0);
  const left = await run('list');
  expect(left.answer.deadLetters?.map((row) => row.deadLetterId)).toEqual([letter(2).deadLetterId]);
  const replayed = (await run('list', '--all')).answer.deadLetters?.find((row) => row.deadLetterId === first);
  expect(replayed?.replayed).toMatchObject({ by: 'lea' });

  expect((await run('replay', '--all', '--by', 'lea')).code).toBe(0);
  expect(await run('list')).toEqual({ code: 0, answer: { deadLetters: [] } });

  // What a service gets to see: orders that its contract accepts, each naming the letter and who asked.
  const orders = await readAll(
    as('orchestrator'),
    broker.bootstrap,
    'orchestrator',
    topology().filter((topic) => topic.name === 'dead-letters.replayed.v1'),
  );
  expect(orders.map(({ source, data }) => [source, data])).toMatchObject([
    ['/countersign/console', { deadLetterId: first, service: 'orchestrator', by: 'lea' }],
    ['/countersign/console', { deadLetterId: letter(2).deadLetterId, service: 'orchestrator', by: 'lea' }],
  ]);
});

test('an order that is misused or names nothing is not written', async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect((await run('replay', 'ffffffff', '--by', 'lea')).code).toBe(1);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect((await run('replay', '--by', 'lea')).code).toBe(2);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect((await run('list', '--service', 'nobody')).code).toBe(2);
});
