import type { DataOf, EventType, RevealKey } from '@countersign/contracts';
import type { Given, Harness, Published } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { asShipped, instanceOn } from './testing.js';

/* Who a person is, told to one request. */

const now = '2026-11-21T10:00:00.000Z';
const requests = 'reveals.requested.v1';
const crm = 'signals.inbound.crm.v1';
const { privateKey, publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
const stranger = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
const { kty, crv, x, y } = (await exportJWK(publicKey)) as RevealKey;
const person = { firstName: 'Quirina', lastName: 'Zwettler', phone: '+43 1 5550199' };
const email = 'quirina@zwettler.example';

let removeFiles: () => void;
let database: TestDatabase;
let harness: Harness;

beforeAll(async () => {
  removeFiles = await asShipped();
});
afterAll(() => removeFiles());
beforeEach(async () => {
  database = await createTestDatabase();
  clock = now;
  harness = await instanceOn(database.url, now);
});
afterEach(async () => {
  await harness?.close();
  await database?.drop();
  delete process.env.ANSWERED_REVEALS_PER_HOUR;
});

const ofType = <T extends EventType>(events: readonly Published[], type: T): DataOf<T>[] =>
  events.filter((event) => event.type === type).map((event) => event.data as DataOf<T>);
let ids = 0;
const send = (type: string, data: Record<string, unknown>, topic = crm) =>
  harness.deliver(topic, [{ type, id: `s-${++ids}`, time: now, data }]);

/** The CRM tells of her; returns her contact id. */
async function known(contact: Record<string, string> = { ref: 'crm:1', email }): Promise<string> {
  const published = await send('ContactUpserted', { contact, account: { id: 'acme' }, person });
  return ofType(published, 'SignalAccepted')[0]?.contactId ?? '';
}

const request = (contactId: string, more: Partial<DataOf<'RevealRequested'>> = {}) => ({
  type: 'RevealRequested',
  data: {
    revealId: `2f6c0a61-9c0e-4b39-8f53-${String(++ids).padStart(12, '0')}`,
    contactId,
    fields: ['name'],
    purpose: 'access-request',
    note: 'request 4711',
    by: 'ann',
    publicKey: { kty, crv, x, y },
    at: now,
    expiresAt: '2026-11-21T10:02:00.000Z',
    ...more,
  },
});
let clock = now;
const setNow = (at: string): void => {
  clock = at;
  harness.setNow(at);
};
/** These requests, as the broker took them at `takenAt`. */
const ask = (asked: readonly Given[], takenAt: string | undefined = clock) =>
  harness.deliverRecords(
    requests,
    harness.records(requests, asked).map((record) => ({ ...record, timestamp: String(Date.parse(takenAt)) })),
  );
const refusalOf = (published: readonly Published[]): string | undefined => {
  expect(ofType(published, 'RevealSealed')).toEqual([]);
  const [answer] = ofType(published, 'RevealAnswered');
  expect(answer).toMatchObject({ outcome: 'refused', fields: [] });
  return answer?.reason?.code;
};

test('her name is sealed to the key of the request, and no other key opens it', async () => {
  const contactId = await known();
  const asked = request(contactId, { fields: ['name', 'email'] });
  const published = await ask([asked]);
  const { revealId } = asked.data;
  expect(ofType(published, 'RevealAnswered')).toEqual([
    { revealId, contactId, outcome: 'sealed', fields: ['name', 'email'], at: now },
  ]);
  const [sealed] = ofType(published, 'RevealSealed');
  const { plaintext } = await compactDecrypt(sealed?.jwe ?? '', privateKey);
  expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({
    ...{ revealId, contactId, email },
    ...{ firstName: person.firstName, lastName: person.lastName },
  });
  await expect(compactDecrypt(sealed?.jwe ?? '', stranger.privateKey)).rejects.toThrow();
});

test('neither an event nor a table shows anything of her', async () => {
  const contactId = await known();
  await ask([request(contactId, { fields: ['name', 'email', 'phone'] })]);
  const tables = await harness.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`,
  );
  expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['reveals', 'inbox', 'outbox']));
  const stored: string[] = [];
  for (const { name } of tables)
    for (const row of await harness.query<{ whole: string }>(`SELECT t::text AS whole FROM "${name}" t`)) {
      stored.push(row.whole);
      // Bytes are shown in hexadecimal.
      for (const [, hex] of row.whole.matchAll(/\\x([0-9a-f]+)/g))
        stored.push(Buffer.from(hex ?? '', 'hex').toString());
    }
  const events = harness.published.map((event) => JSON.stringify(event));
  expect(events.length).toBeGreaterThan(4);
  expect([...stored, ...events].filter((text) => /quirina|zwettler|5550199/i.test(text))).toEqual([]);
});

test('a request that comes again is answered with the same sealed answer, and sealed once', async () => {
  const contactId = await known();
  const records = harness
    .records(requests, [request(contactId)])
    .map((record) => ({ ...record, timestamp: String(Date.parse(now)) }));
  const [first] = ofType(await harness.deliverRecords(requests, records), 'RevealSealed');
  expect(ofType(await harness.deliverRecords(requests, records), 'RevealSealed')).toEqual([first]);
  expect(await harness.query('SELECT FROM reveals')).toHaveLength(1);
});

test('nothing is revealed of a contact nobody knows, nor of one that is another one by now, which is named', async () => {
  expect(refusalOf(await ask([request('0d4b5bd4-6a55-4f1f-8a3c-4d2b57a7c0de')]))).toBe('not-known');
  const byRef = ofType(
    await send(
      'ContentEngaged',
      { account: { id: 'acme' }, contact: { ref: 'crm:1' }, contentId: 'c', topic: 't' },
      'signals.inbound.website.v1',
    ),
    'SignalAccepted',
  )[0]?.contactId;
  const gone = await known({ email });
  await known();
  const published = await ask([request(gone)]);
  expect(refusalOf(published)).toBe('joined');
  expect(ofType(published, 'RevealAnswered')[0]?.reason?.detail).toContain(byRef);
});

test('nothing is revealed of a person who was erased, even if her row is still there', async () => {
  const contactId = await known();
  await send('EmailUnsubscribed', { contact: { ref: 'crm:1', email } });
  const erased = await harness.query(
    `UPDATE own_state SET data = jsonb_set(data, '{suppressions}', $2) WHERE topic = 'consents.v1' AND key = $1 RETURNING 1`,
    [contactId, JSON.stringify([{ channel: 'email', reason: 'erased', at: now, signalId: 's' }])],
  );
  expect(erased).toHaveLength(1);
  expect(refusalOf(await ask([request(contactId)]))).toBe('erased');
});

test('a request that nobody waits for any more is not sealed', async () => {
  const contactId = await known();
  setNow('2026-11-21T10:02:00.001Z');
  expect(refusalOf(await ask([request(contactId)]))).toBe('expired');
});

test('a key that is no point on its curve is refused and said to be, and the next request is answered', async () => {
  const contactId = await known();
  const forged = { kty, crv, x: 'A'.repeat(43), y: 'A'.repeat(43) } as const;
  const published = await ask([request(contactId, { publicKey: forged }), request(contactId)]);
  expect(ofType(published, 'RevealAnswered').map(({ outcome, reason }) => [outcome, reason?.code])).toEqual([
    ['refused', 'key'],
    ['sealed', undefined],
  ]);
  expect(ofType(published, 'RevealSealed')).toHaveLength(1);
});

test('no more is revealed in an hour than may be, whoever is said to ask', async () => {
  process.env.ANSWERED_REVEALS_PER_HOUR = '2';
  await harness.close();
  harness = await instanceOn(database.url, now);
  const contactId = await known();
  const outcomes = async (...people: string[]) =>
    ofType(await ask(people.map((by) => request(contactId, { by }))), 'RevealAnswered').map(
      ({ outcome, reason }) => reason?.code ?? outcome,
    );
  expect(await outcomes('ann')).toEqual(['sealed']);
  expect(await outcomes('bob', 'cid')).toEqual(['sealed', 'too-many']);
  setNow('2026-11-21T10:59:59.999Z');
  const later = { at: '2026-11-21T11:00:00.000Z', expiresAt: '2026-11-21T11:02:00.000Z' };
  expect(refusalOf(await ask([request(contactId, later)]))).toBe('too-many');
  setNow('2026-11-21T11:00:00.000Z');
  expect(ofType(await ask([request(contactId, later)]), 'RevealSealed')).toHaveLength(1);
});

test('an id of a request reveals once, however often it comes under a new event: within a batch, after it, and of another person', async () => {
  const [contactId, other] = [await known(), await known({ ref: 'crm:2', email: 'other@zwettler.example' })];
  const asked = request(contactId);
  const { revealId } = asked.data;
  const codes = async (...people: string[]) => {
    const published = await ask(people.map((person) => ({ ...asked, data: { ...asked.data, contactId: person } })));
    expect(ofType(published, 'RevealAnswered').map((answer) => answer.revealId)).toEqual(people.map(() => revealId));
    // By its cause somebody who reads finds to which of them an answer is.
    const answers = published.filter(({ type }) => type === 'RevealAnswered');
    expect(new Set(answers.map(({ causationid }) => causationid)).size).toBe(people.length);
    return ofType(published, 'RevealAnswered').map(({ outcome, reason }) => reason?.code ?? outcome);
  };
  expect(await codes(contactId, other, contactId)).toEqual(['sealed', 'repeated', 'repeated']);
  expect(await codes(other, contactId)).toEqual(['repeated', 'repeated']);
  expect(ofType(harness.published, 'RevealSealed')).toHaveLength(1);
});

test('of requests that are handled at the same time no more is revealed than may be, and an id reveals once', async () => {
  process.env.ANSWERED_REVEALS_PER_HOUR = '2';
  await harness.close();
  harness = await instanceOn(database.url, now);
  const second = await instanceOn(database.url, now);
  const contacts: string[] = [];
  for (const n of [1, 2, 3, 4]) contacts.push(await known({ ref: `crm:${n}`, email: `p${n}@zwettler.example` }));
  const [same] = [request(contacts[0] as string).data.revealId];
  const given = contacts.map((contact, n) => request(contact, n < 2 ? { revealId: same } : {}));
  const timestamp = String(Date.parse(now));
  await Promise.all(
    given.map((asked, n) => {
      const to = n % 2 === 0 ? harness : second;
      return to.deliverRecords(
        requests,
        harness.records(requests, [asked]).map((record) => ({ ...record, timestamp })),
      );
    }),
  );
  const sealed = ofType([...harness.published, ...second.published], 'RevealSealed').map(({ revealId }) => revealId);
  await second.close();
  expect(sealed).toHaveLength(2);
  expect(new Set(sealed).size).toBe(2);
});

test('a request is too old two minutes after the broker took it, whatever it says of itself', async () => {
  const contactId = await known();
  const patient = { at: '2098-12-31T23:59:00.000Z', expiresAt: '2099-01-01T00:00:00.000Z' };
  const sealed = ofType(await ask([request(contactId, patient)]), 'RevealSealed');
  expect(sealed.map(({ expiresAt }) => expiresAt)).toEqual(['2026-11-21T10:02:00.000Z']);
  setNow('2026-11-21T10:02:00.001Z');
  expect(refusalOf(await ask([request(contactId, patient)], now))).toBe('expired');
  // A record whose time is not known may be of any age.
  expect(refusalOf(await harness.deliver(requests, [request(contactId, patient)]))).toBe('expired');
});
