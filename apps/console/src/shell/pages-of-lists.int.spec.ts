import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { derivedId } from '@countersign/contracts';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { approved, at, deadLetter, settled } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

let database: TestDatabase;
let harness: Harness;
let folder: string;

beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  const sha256 = createHash('sha256').update('lea-token').digest('hex');
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify([{ sha256, person: 'lea', roles: ['operator'] }]));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
});
afterEach(async () => {
  await harness?.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const get = async (url: string) => {
  const response = await harness.app.inject({ method: 'GET', url, headers: { authorization: 'Bearer lea-token' } });
  return { status: response.statusCode, body: response.json() };
};

/** The list page after page, and whole. */
async function read(path: string, member: string, size: number): Promise<{ paged: string[]; whole: string[] }> {
  const idOf = ({ deadLetterId, permitId }: { deadLetterId?: string; permitId?: string }) =>
    String(deadLetterId ?? permitId);
  const beside = path.includes('?') ? '&' : '?';
  const all = (await get(`${path}${beside}limit=500`)).body;
  expect(all.next).toBeNull();
  const paged: string[] = [];
  for (let next: string | null | undefined; next !== null; ) {
    const behind = next === undefined ? '' : `&cursor=${encodeURIComponent(next)}`;
    const { status, body } = await get(`${path}${beside}limit=${size}${behind}`);
    expect(status).toBe(200);
    expect(body[member].length).toBe(body.next === null ? all[member].length - paged.length : size);
    paged.push(...body[member].map(idOf));
    next = body.next;
  }
  return { paged, whole: all[member].map(idOf) };
}

test('read page by page, dead letters come once each: those that wait first, then those that are done, the newest first', async () => {
  const moments = ['2026-11-21T09:00:00.000Z', '2026-11-21T09:30:00.000Z', at];
  const letters = Array.from({ length: 24 }, (_, n) => ({
    ...deadLetter(),
    deadLetterId: derivedId('letter', String(n)),
    // Several of the same time, so that the id alone tells them apart.
    at: moments[n % 3] as string,
  }));
  await harness.deliver(
    'orchestrator.dead-letters.v1',
    letters.map((data) => ({ type: 'DeadLetter', data })),
  );
  // A third is handled again, and of these a half fails again and waits.
  const ordered = letters.slice(0, 8);
  await harness.deliver(
    'dead-letters.replayed.v1',
    ordered.map(({ deadLetterId }) => ({
      type: 'DeadLetterReplayed',
      data: { deadLetterId, service: 'orchestrator', by: 'lea', at },
    })),
  );
  const failed = ordered.slice(0, 4);
  await harness.deliver(
    'orchestrator.dead-letters.v1',
    failed.map(({ deadLetterId, fault }) => ({
      type: 'ReplayEnded',
      data: { deadLetterId, service: 'orchestrator', outcome: 'failed', orderedAt: at, attempts: 4, fault, at },
    })),
  );
  for (const path of ['/v1/dead-letters', '/v1/dead-letters?service=orchestrator'])
    for (const size of [1, 5, 20, 24]) {
      const { paged, whole } = await read(path, 'deadLetters', size);
      expect(paged).toEqual(whole);
      expect(new Set(paged)).toEqual(new Set(letters.map(({ deadLetterId }) => deadLetterId)));
    }
  const { body } = await get('/v1/dead-letters?limit=500');
  const waiting = body.deadLetters.map(({ state }: { state: string }) => state === 'open' || state === 'failed-again');
  expect(waiting).toEqual([...Array(20).fill(true), ...Array(4).fill(false)]);
  expect((await read('/v1/dead-letters?service=console', 'deadLetters', 5)).paged).toEqual([]);
  for (const cursor of [
    'yesterday',
    `waiting,0000-01-01T00:00:00.000Z,${derivedId('letter', '1')}`,
    `open,${at},${derivedId('letter', '1')}`,
    `waiting,${at}`,
  ])
    expect(await get(`/v1/dead-letters?cursor=${cursor}`)).toMatchObject({ status: 400, body: { field: 'cursor' } });
});

test('a letter that was handled before the console knows of its order is done: no page leaves it out and nobody waits for it', async () => {
  const letters = Array.from({ length: 6 }, (_, n) => ({
    ...deadLetter(),
    deadLetterId: derivedId('letter', String(n)),
  }));
  await harness.deliver(
    'orchestrator.dead-letters.v1',
    letters.map((data) => ({ type: 'DeadLetter', data })),
  );
  const ends = letters.slice(0, 4).map(({ deadLetterId, fault }, n) => ({
    deadLetterId,
    service: 'orchestrator',
    outcome: n === 3 ? ('failed' as const) : ('handled' as const),
    ...{ orderedAt: at, attempts: 4, at },
    ...(n === 3 && { fault }),
  }));
  await harness.deliver(
    'orchestrator.dead-letters.v1',
    ends.map((data) => ({ type: 'ReplayEnded', data })),
  );
  const { body } = await get('/v1/dead-letters');
  // Whether the order that failed was the last one is not known, so somebody has to look.
  expect(body.deadLetters.map(({ state }: { state: string }) => state)).toEqual([
    ...['open', 'open', 'open'],
    ...['handled', 'handled', 'handled'],
  ]);
  for (const size of [1, 2, 4]) {
    const { paged, whole } = await read('/v1/dead-letters', 'deadLetters', size);
    expect(paged).toEqual(whole);
    expect(paged).toHaveLength(letters.length);
  }
});

test('read page by page, unresolved permits come once each, the oldest first', async () => {
  const permits = Array.from({ length: 12 }, (_, n) => {
    const permitId = derivedId('permit', String(n));
    const actionId = derivedId('action', String(n));
    return { permitId, actionId, proposalId: derivedId('proposal', String(n)) };
  });
  await harness.deliver(
    'actions.approved.v1',
    permits.map((permit) => ({ type: 'ActionApproved', data: approved(permit), key: 'acme' })),
  );
  await harness.deliver(
    'actions.settled.action-executor.v1',
    permits.map((permit, n) => ({
      type: 'ActionSettled',
      data: settled('unresolved', { ...permit, at: n < 7 ? '2026-11-21T10:06:00.000Z' : '2026-11-21T10:05:30.000Z' }),
      key: 'acme',
    })),
  );
  for (const size of [1, 5, 12]) {
    const { paged, whole } = await read('/v1/settlements', 'unresolved', size);
    expect(paged).toEqual(whole);
    expect(new Set(paged)).toEqual(new Set(permits.map(({ permitId }) => permitId)));
  }
  const { body } = await get('/v1/settlements');
  const times = body.unresolved.map(({ at: time }: { at: string }) => time);
  expect(times).toEqual(times.toSorted());
  expect(await get('/v1/settlements?cursor=yesterday')).toMatchObject({ status: 400, body: { field: 'cursor' } });
});
