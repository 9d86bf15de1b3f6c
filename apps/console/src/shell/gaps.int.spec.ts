import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { at } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

let database: TestDatabase;
let harness: Harness;
let folder: string;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-gaps-'));
  const people = [
    { person: 'lea', roles: ['operator'] },
    { person: 'max', roles: ['viewer', 'reviewer'] },
  ];
  const tokens = people.map((known) => ({
    ...known,
    sha256: createHash('sha256').update(known.person).digest('hex'),
  }));
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(tokens));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
});
afterEach(async () => {
  await harness?.close();
  await database?.close();
  rmSync(folder, { recursive: true });
});

const call = async (method: 'GET' | 'POST', url: string, payload?: object, person = 'lea') => {
  const headers = { authorization: `Bearer ${person}` };
  const response = await harness.app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: response.statusCode, body: response.json() };
};
const open = async () => (await call('GET', '/v1/gaps')).body.open;
const acknowledged = async () => (await call('GET', '/v1/gaps/acknowledged')).body.acknowledged;
const acknowledge = (gap: object, note = 'given again') => call('POST', '/v1/gaps/acknowledged', { ...gap, note });
const events = () => harness.published.filter(({ type }) => type === 'GapAcknowledged');

const gap = {
  service: 'orchestrator',
  topic: 'reviews.decided.v1',
  topicId: 'q5mZ1mXvSPmQW8iUqD3Yxg',
  partition: 2,
  from: 10,
  to: 15,
  reason: 'records-deleted',
};
type Gap = Omit<typeof gap, 'to'> & { readonly to: number | null };
const [earlier, before, later, last] = ['09:00', '09:30', '10:30', '11:00'].map(
  (time) => `2026-11-21T${time}:00.000Z`,
) as [string, string, string, string];

const onTopicOf = (service: string, type: string, data: object) =>
  harness.deliver(`${service}.dead-letters.v1`, [{ type, data, source: `/countersign/${service}` }]);
const reports = (reported: Gap, reportedAt = before, noticedAt = earlier) =>
  onTopicOf(reported.service, 'GapReported', { ...reported, noticedAt, at: reportedAt });
const ends = (ended: Gap, acknowledgedAt: string, outcome = 'closed', endedAt = later) =>
  onTopicOf(ended.service, 'AcknowledgementEnded', { ...ended, acknowledgedAt, outcome, at: endedAt });

test('a gap that its service reports is open, is acknowledged by an event with who, when and why, and is closed when the service answers', async () => {
  await reports(gap);
  const listed = { ...gap, gapId: expect.any(String), noticedAt: earlier, state: null };
  expect(await open()).toEqual([{ ...listed, acknowledged: null }]);

  const word = { by: 'lea', note: 'given again', at };
  expect(await acknowledge(gap)).toMatchObject({ status: 202, body: { ...gap, ...word, answer: null } });
  expect(events()).toMatchObject([{ topic: 'gaps.acknowledged.v1', key: 'orchestrator', data: { ...gap, ...word } }]);
  expect(await open()).toEqual([{ ...listed, acknowledged: word }]);
  expect(await acknowledged()).toMatchObject([{ ...gap, ...word, answer: null }]);

  await ends(gap, at);
  expect(await open()).toEqual([]);
  expect(await acknowledged()).toMatchObject([{ ...gap, ...word, answer: { outcome: 'closed', at: later } }]);
});

test('the page Now says that a gap waits for a person, until somebody acknowledges it', async () => {
  const waiting = async () => (await call('GET', '/v1/now')).body.waiting.gaps;
  expect(await waiting()).toEqual({ count: 0, oldestAt: null, byService: [] });
  await reports(gap);
  await reports({ ...gap, partition: 3 }, before, before);
  expect(await waiting()).toEqual({
    count: 2,
    oldestAt: earlier,
    byService: [{ service: 'orchestrator', n: 2, oldestAt: earlier }],
  });
  await acknowledge(gap);
  expect(await waiting()).toMatchObject({ count: 1, oldestAt: before });
  // Its service started again before it read the acknowledgement.
  await reports(gap, later);
  expect(await waiting()).toMatchObject({ count: 2 });
});

test('what no service reports, or reports no more, is not acknowledged: the answer says why and where the open gaps are', async () => {
  const wrong = [{ partition: 3 }, { from: 11 }, { topicId: 'other' }, { topic: 'tasks.assigned.v1' }];
  await reports(gap);
  for (const value of [...wrong, { reason: 'topic-made-again' }, { service: 'console' }])
    expect(await acknowledge({ ...gap, ...value })).toMatchObject({
      status: 404,
      body: { title: 'No such gap', detail: expect.stringContaining('countersign gaps') },
    });
  expect(await acknowledge({ ...gap, to: null })).toMatchObject({ status: 409, body: { field: 'to' } });
  expect(await open()).toMatchObject([{ ...gap, acknowledged: null }]);

  await acknowledge(gap);
  await ends(gap, at);
  expect(await acknowledge(gap, 'once more')).toMatchObject({
    status: 409,
    body: { title: 'This gap is closed', detail: expect.stringContaining(later) },
  });
  expect(events()).toHaveLength(1);
});

test('a service that has no such gap any more answers that, and the gap is open no longer', async () => {
  await reports(gap);
  await acknowledge(gap);
  await ends(gap, at, 'not-open');
  expect(await open()).toEqual([]);
  expect(await acknowledged()).toMatchObject([{ ...gap, answer: { outcome: 'not-open', at: later } }]);
});

test('of two people who acknowledge a gap at once each is told what came of it', async () => {
  await reports(gap);
  await acknowledge(gap);
  harness.setNow(later);
  await acknowledge(gap, 'me too');
  expect(await open()).toMatchObject([{ acknowledged: { note: 'given again' } }]);
  await ends(gap, at, 'closed', last);
  await ends(gap, later, 'not-open', last);
  expect(
    (await acknowledged()).map(({ note, answer }: { note: string; answer: object }) => ({ note, answer })),
  ).toEqual([
    { note: 'me too', answer: { outcome: 'not-open', at: last } },
    { note: 'given again', answer: { outcome: 'closed', at: last } },
  ]);
});

test('a gap that is reported again after its end is open again, as after a restore; one reported before it came late', async () => {
  const word = { ...gap, by: 'max', note: 'known', at };
  // As the topics give it back: the end comes before the report and before the acknowledgement.
  await ends(gap, at);
  await reports(gap);
  expect(await open()).toEqual([]);
  await harness.deliver('gaps.acknowledged.v1', [{ type: 'GapAcknowledged', data: word }]);
  await harness.deliver('gaps.acknowledged.v1', [{ type: 'GapAcknowledged', data: word }]);
  expect(await acknowledged()).toMatchObject([{ ...word, answer: { outcome: 'closed' } }]);

  await reports(gap, last);
  await reports(gap);
  expect(await open()).toMatchObject([{ ...gap, acknowledged: null }]);
  harness.setNow(last);
  await acknowledge(gap);
  await ends(gap, last, 'closed', '2026-11-21T11:00:01.000Z');
  expect(await open()).toEqual([]);
});

test('an acknowledgement from before the last report is not waited for: its service did not get it', async () => {
  await reports(gap);
  await acknowledge(gap);
  expect(await open()).toMatchObject([{ acknowledged: { by: 'lea' } }]);
  await reports(gap, later);
  expect(await open()).toMatchObject([{ acknowledged: null }]);
});

test('a service reports and closes only gaps of its own', async () => {
  await onTopicOf('orchestrator', 'GapReported', { ...gap, service: 'console', noticedAt: earlier, at: before });
  expect(await open()).toEqual([]);
  await reports(gap);
  await acknowledge(gap);
  await onTopicOf('console', 'AcknowledgementEnded', { ...gap, acknowledgedAt: at, outcome: 'closed', at: later });
  expect(await open()).toHaveLength(1);
});

test('of a state topic the list says who writes it, and whether the writer has published its whole table again since', async () => {
  const lacking = { ...gap, topic: 'controls.v1', service: 'guardrail-validator' };
  await reports(lacking);
  expect(await open()).toMatchObject([{ ...lacking, state: { writer: 'console', publishedAgainAt: null } }]);
  const again = { ...lacking, service: 'console', topicId: 'lost', from: 0, to: null, reason: 'topic-made-again' };
  await reports(again, later, at);
  expect(await open()).toMatchObject([
    { ...lacking, state: { writer: 'console', publishedAgainAt: at } },
    { ...again, state: { writer: 'console', publishedAgainAt: at } },
  ]);
});

test('the list of open gaps has pages, the oldest first', async () => {
  for (const [n, time] of [last, earlier, before].entries()) await reports({ ...gap, partition: n }, last, time);
  const first = (await call('GET', '/v1/gaps?limit=2')).body;
  expect(first.open).toMatchObject([{ partition: 1 }, { partition: 2 }]);
  const second = (await call('GET', `/v1/gaps?limit=2&cursor=${encodeURIComponent(first.next)}`)).body;
  expect(second).toMatchObject({ open: [{ partition: 0 }], next: null });
  expect((await call('GET', '/v1/gaps?cursor=x')).status).toBe(400);
});

test('an acknowledgement has a service that there is, a note and an operator', async () => {
  await reports(gap);
  for (const body of [
    gap,
    { ...gap, note: ' ' },
    { ...gap, note: 'x', by: 'max' },
    { ...gap, service: 'x', note: 'x' },
  ])
    expect((await call('POST', '/v1/gaps/acknowledged', body)).status).toBe(400);
  expect((await call('POST', '/v1/gaps/acknowledged', { ...gap, note: 'x' }, 'max')).status).toBe(403);
  expect(events()).toEqual([]);
});
