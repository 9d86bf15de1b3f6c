import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataOf } from '@countersign/contracts';
import { createHarness, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { at } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

const contactId = '6cf220c7-9794-40c6-ae57-e29f891b23ff';
const path = `/v1/people/${contactId}/reveals`;
const jwe = 'eyJhbGciOiJFQ0RILUVTIn0..aXY.c2VhbGVk.dGFn';
const publicKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
  y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
};
const asking = { fields: ['name'], purpose: 'access-request', note: 'request 4711', publicKey };
const people = [
  { person: 'ann', roles: ['viewer', 'privacy-officer'] },
  { person: 'bob', roles: ['viewer', 'privacy-officer'] },
  { person: 'rex', roles: ['viewer', 'reviewer', 'operator', 'policy-owner', 'auditor'] },
] as const;
type Headers = Record<string, string>;
const as = (person: string): Headers => ({ authorization: `Bearer ${person}` });

let database: TestDatabase;
let harness: Harness;
let folder: string;

const start = async () => {
  harness = await createHarness(ConsoleModule, spec, { databaseUrl: database.url, at });
};
beforeEach(async () => {
  database = await copyTestDatabase(tablesOf(spec));
  folder = mkdtempSync(join(tmpdir(), 'console-reveals-'));
  const tokens = people.map((person) => ({
    ...person,
    sha256: createHash('sha256').update(person.person).digest('hex'),
  }));
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(tokens));
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
  await start();
  const consents = { contactId, entries: [], suppressions: [], version: 1, changedAt: at };
  await harness.deliver('consents.v1', [{ type: 'ConsentsChanged', key: contactId, data: consents }]);
});
afterEach(async () => {
  delete process.env.REVEALS_PER_HOUR;
  await harness?.close();
  await database?.close();
  rmSync(folder, { recursive: true });
});

const ask = async (method: 'GET' | 'POST', url: string, headers: Headers = as('ann'), payload?: object) => {
  const answer = await harness.app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json() };
};
const post = (payload: object = asking, headers?: Headers) => ask('POST', path, headers, payload);
const revealed = async (headers?: Headers): Promise<string> => (await post(asking, headers)).body.revealId;
const requests = () => harness.published.filter(({ type }) => type === 'RevealRequested');
const after = (ms: number): string => new Date(Date.parse(at) + ms).toISOString();

/** What signal-ingestion says to a request. */
async function answer(revealId: string, more: Partial<DataOf<'RevealAnswered'>> = {}): Promise<void> {
  const data = { revealId, contactId, outcome: 'sealed', fields: ['name'], at, ...more };
  const causationid = requests().find((event) => (event.data as { revealId?: string }).revealId === revealId)?.id;
  await harness.deliver('reveals.answered.v1', [
    { type: 'RevealAnswered', key: contactId, data, ...(causationid && { causationid }) },
  ]);
}
async function seal(revealId: string): Promise<void> {
  const data = { revealId, jwe, expiresAt: after(120_000) };
  await harness.deliver('reveals.sealed.v1', [{ type: 'RevealSealed', key: contactId, data }]);
}

async function signIn(person: string): Promise<Headers> {
  const { body } = await ask('POST', '/v1/sign-in/links', as(person));
  const code = String(body.url).split('#code=')[1];
  const begun = await harness.app.inject({ method: 'POST', url: '/v1/session', payload: { code } });
  const cookie = String(begun.headers['set-cookie']).split(';')[0] as string;
  return { cookie, 'x-csrf-token': begun.json().csrfToken };
}

test('who asked for a name is deleted after 400 days, with the answer; a later request stays', async () => {
  const day = 86_400_000;
  const stored = () =>
    harness.query(
      `SELECT (SELECT count(*)::int FROM reveals) AS requests, (SELECT count(*)::int FROM reveal_answers) AS answers`,
    );
  await answer(await revealed());
  harness.setNow(after(day));
  await answer(await revealed(), { at: after(day) });
  harness.setNow(after(400 * day));
  await harness.runJobs();
  expect(await stored()).toEqual([{ requests: 2, answers: 2 }]);
  harness.setNow(after(400 * day + 3_700_000));
  await harness.runJobs();
  expect(await stored()).toEqual([{ requests: 1, answers: 1 }]);
  const { body } = await ask('GET', path);
  expect(body.reveals).toMatchObject([{ at: after(day), state: 'sealed' }]);
});

describe('a request', () => {
  test('is an event that says who asks for what of whom and why, before anything is answered', async () => {
    const { status, body } = await post();
    expect(status).toBe(202);
    expect(body.expiresAt).toBe(after(120_000));
    const { revealId } = body;
    expect(requests()).toMatchObject([
      {
        topic: 'reveals.requested.v1',
        key: contactId,
        data: { revealId, contactId, ...asking, by: 'ann', at, expiresAt: body.expiresAt },
      },
    ]);
    expect((await ask('GET', `${path}/${revealId}`)).body).toMatchObject({ state: 'waiting', jwe: null, by: 'ann' });
  });

  test.each([
    ['a reviewer, an operator, a policy owner and an auditor', as('rex'), 403],
    ['nobody whom the console knows', as('eve'), 401],
  ])('of %s is refused, and nothing is asked', async (_, headers, status) => {
    expect((await post(asking, headers)).status).toBe(status);
    expect(requests()).toEqual([]);
    expect(await harness.query('SELECT FROM reveals')).toEqual([]);
  });

  test.each([
    ['a forged key', { publicKey: { ...publicKey, x: 'A'.repeat(43) } }, 'publicKey'],
    ['a private key', { publicKey: { ...publicKey, d: publicKey.x } }, 'publicKey.d'],
    ['a note that is too long', { note: 'x'.repeat(201) }, 'note'],
    ['a note with an address', { note: 'for jane@example.com' }, 'note'],
    ['more fields than there are', { fields: Array(1_000).fill('name') }, 'fields'],
    ['a member that there is not', { reason: 'x' }, 'reason'],
  ])('with %s is refused, the field is named, and nothing is asked', async (_, more, field) => {
    const { status, body } = await post({ ...asking, ...more });
    expect([status, body.field]).toEqual([400, field]);
    expect(JSON.stringify(body)).not.toContain('jane');
    expect(requests()).toEqual([]);
  });

  test('that is larger than a request may be is refused', async () => {
    expect((await post({ ...asking, note: 'x'.repeat(3_000_000) })).status).toBe(413);
    expect(requests()).toEqual([]);
  });

  test('for somebody whom no signal has told of is refused, with how to find people', async () => {
    const { status, body } = await ask('POST', path.replace('6cf2', '7cf2'), as('ann'), asking);
    expect([status, body.title]).toEqual([404, 'No such person']);
    expect(body.detail).toContain('/v1/people?account=');
  });

  test('beyond what one person may in an hour is refused, also of several at once; another person may, and so may they in the next hour', async () => {
    process.env.REVEALS_PER_HOUR = '3';
    await harness.close();
    await start();
    const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await post()).status));
    expect(statuses.sort()).toEqual([202, 202, 202, 429, 429, 429]);
    const { body } = await post();
    expect(body.detail).toContain('ann has asked 3 times within the last hour');
    expect(requests()).toHaveLength(3);
    expect((await post(asking, as('bob'))).status).toBe(202);
    harness.setNow('2026-11-21T11:00:00.000Z');
    expect((await post()).status).toBe(202);
  });

  test('counts for the 60 minutes after it, whenever the hour of the clock ends, and a refusal says when to ask again', async () => {
    process.env.REVEALS_PER_HOUR = '2';
    await harness.close();
    await start();
    const statusAt = async (time: string) => {
      harness.setNow(`2026-11-21T${time}.000Z`);
      const { statusCode, headers } = await harness.app.inject({
        ...{ method: 'POST', url: path, headers: as('ann'), payload: asking },
      });
      return [statusCode, headers['retry-after']];
    };
    expect(await statusAt('10:40:00')).toEqual([202, undefined]);
    expect(await statusAt('10:59:00')).toEqual([202, undefined]);
    expect(await statusAt('11:00:00')).toEqual([429, '2400']);
    expect(await statusAt('11:39:59')).toEqual([429, '1']);
    expect(await statusAt('11:40:00')).toEqual([202, undefined]);
    expect(await statusAt('11:41:00')).toEqual([429, '1080']);
  });
});

describe('the answer', () => {
  test('is given to the session that asked, and neither to another session of the same person nor to a token or a colleague', async () => {
    const [mine, other] = [await signIn('ann'), await signIn('ann')];
    const revealId = await revealed(mine);
    await answer(revealId);
    await seal(revealId);
    expect(await ask('GET', `${path}/${revealId}`, mine)).toMatchObject({
      status: 200,
      body: { state: 'sealed', fields: ['name'], jwe },
    });
    for (const headers of [other, as('ann'), as('bob')]) {
      const refused = await ask('GET', `${path}/${revealId}`, headers);
      expect([refused.status, refused.body.title]).toEqual([403, 'Asked by another session']);
      expect(JSON.stringify(refused.body)).not.toContain(jwe);
    }
    expect((await ask('GET', `${path}/${revealId}`, as('rex'))).status).toBe(403);
    expect((await ask('GET', path, as('rex'))).body.reveals).toMatchObject([{ revealId, state: 'sealed' }]);
    expect(JSON.stringify((await ask('GET', path, as('rex'))).body)).not.toContain(jwe);
  });

  test('is given to nobody once its session has ended', async () => {
    const mine = await signIn('ann');
    const revealId = await revealed(mine);
    await seal(revealId);
    await harness.app.inject({ method: 'DELETE', url: '/v1/session', headers: mine });
    expect((await ask('GET', `${path}/${revealId}`, mine)).status).toBe(401);
    expect((await ask('GET', `${path}/${revealId}`, await signIn('ann'))).status).toBe(403);
  });

  test('is given for two minutes, and then it is in no table', async () => {
    const revealId = await revealed();
    await answer(revealId);
    await seal(revealId);
    harness.setNow(after(119_999));
    await harness.runJobs();
    expect((await ask('GET', `${path}/${revealId}`)).body).toMatchObject({ jwe });
    harness.setNow(after(120_000));
    expect((await ask('GET', `${path}/${revealId}`)).body).toMatchObject({ state: 'sealed', jwe: null });
    await harness.runJobs();
    expect(await harness.query('SELECT FROM sealed_reveals')).toEqual([]);
    // One that comes too late, or again after a restore, is not kept either.
    await seal(revealId);
    expect(await harness.query('SELECT FROM sealed_reveals')).toEqual([]);
  });

  test('that does not come is said not to have come', async () => {
    const revealId = await revealed();
    harness.setNow(after(120_000));
    expect((await ask('GET', `${path}/${revealId}`)).body).toMatchObject({ state: 'unanswered', jwe: null });
  });

  test('that nothing is revealed has its reason', async () => {
    const revealId = await revealed();
    const reason = { code: 'erased', detail: 'what was known of this person was erased' };
    await answer(revealId, { outcome: 'refused', fields: [], reason });
    expect((await ask('GET', `${path}/${revealId}`)).body).toMatchObject({ state: 'refused', reason, jwe: null });
  });

  test('to a request that nobody made is not kept', async () => {
    await seal('0d4b5bd4-6a55-4f1f-8a3c-4d2b57a7c0de');
    expect(await harness.query('SELECT FROM sealed_reveals')).toEqual([]);
  });

  test('is asked for under the person it is about', async () => {
    const revealId = await revealed();
    const { status, body } = await ask('GET', `${path.replace('6cf2', '7cf2')}/${revealId}`);
    expect([status, body.title]).toEqual([404, 'No such reveal']);
  });
});

test('whoever is signed in sees who asked who a person is, and why, the latest first, page by page', async () => {
  const first = await revealed();
  harness.setNow(after(1_000));
  const second = await revealed(as('bob'));
  const page = (await ask('GET', `${path}?limit=1`, as('rex'))).body;
  expect(page.reveals).toEqual([
    {
      ...{ revealId: second, by: 'bob', fields: ['name'], purpose: 'access-request', note: 'request 4711' },
      ...{ at: after(1_000), expiresAt: after(121_000), state: 'waiting', reason: null },
    },
  ]);
  const rest = (await ask('GET', `${path}?limit=1&cursor=${page.next}`, as('rex'))).body;
  expect([rest.reveals.map(({ revealId }: { revealId: string }) => revealId), rest.next]).toEqual([[first], null]);
});

test('after a restore the topics say again who asked and what came of it', async () => {
  const revealId = await revealed();
  const requested = requests()[0];
  await harness.query('DELETE FROM reveals');
  const { id = '', data } = requested ?? {};
  await harness.deliver('reveals.requested.v1', [{ type: 'RevealRequested', key: contactId, id, data }]);
  await answer(revealId);
  expect((await ask('GET', path)).body.reveals).toMatchObject([{ revealId, by: 'ann', state: 'sealed' }]);
  expect(await harness.query('SELECT detail FROM activities ORDER BY at, detail')).toEqual([
    { detail: 'ann asked for name of a person: access-request' },
    { detail: 'name of a person was revealed to whoever asked' },
  ]);
});

test('a second request under the id of another is listed with its own answer, also page by page and for another person', async () => {
  const revealId = await revealed();
  await answer(revealId);
  const [first] = requests();
  const other = '0d4b5bd4-6a55-4f1f-8a3c-4d2b57a7c0de';
  const again = (id: string, key: string, note: string) => ({
    ...{ type: 'RevealRequested', id, key },
    data: { ...(first?.data as unknown as DataOf<'RevealRequested'>), contactId: key, note },
  });
  const events = [again('again', contactId, 'more'), again('other', other, 'somebody else')];
  await harness.deliver('reveals.requested.v1', events);
  const reason = { code: 'repeated', detail: 'a request with this id was answered before; ask again' };
  await harness.deliver(
    'reveals.answered.v1',
    events.map(({ id, key }) => ({
      ...{ type: 'RevealAnswered', key, causationid: id },
      data: { revealId, contactId: key, outcome: 'refused', fields: [], reason, at },
    })),
  );
  const listed = async (person: string): Promise<string[]> => {
    const found: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const url: string = `/v1/people/${person}/reveals?limit=1${next && `&cursor=${next}`}`;
      const { body } = await ask('GET', url, as('rex'));
      for (const { note, state } of body.reveals) found.push(`${note}: ${state}`);
      next = body.next;
    }
    return found.sort();
  };
  expect(await listed(contactId)).toEqual(['more: refused', 'request 4711: sealed']);
  expect(await listed(other)).toEqual(['somebody else: refused']);
});
