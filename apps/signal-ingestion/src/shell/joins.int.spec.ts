import type { DataOf, EventType } from '@countersign/contracts';
import type { Harness, Published } from '@countersign/runtime/harness';
import { createTestDatabase, type TestDatabase } from '@countersign/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { asShipped, instanceOn } from './testing.js';

/* Contacts that turn out to be one person, under the configuration as shipped: the CRM's word decides. */

const now = '2026-11-21T10:00:00.000Z';
const [website, mailer, crm] = ['website', 'mailer', 'crm'].map((name) => `signals.inbound.${name}.v1`) as [
  string,
  string,
  string,
];
const email = 'jane@example.com';
const both = { ref: 'crm:17', email };
const grants = [{ purpose: 'sales', channel: 'email', status: 'granted' }];

let removeFiles: () => void;
let database: TestDatabase;
let harness: Harness;

beforeAll(async () => {
  removeFiles = await asShipped();
});
afterAll(() => removeFiles());
const start = async (): Promise<void> => {
  harness = await instanceOn(database.url, now);
};
beforeEach(async () => {
  database = await createTestDatabase();
  await start();
});
afterEach(async () => {
  await harness?.close();
  await database?.drop();
});

const ofType = <T extends EventType>(events: readonly Published[], type: T): DataOf<T>[] =>
  events.filter((e) => e.type === type).map((e) => e.data as DataOf<T>);
let ids = 0;
const send = (topic: string, type: string, data: Record<string, unknown>, time = now) =>
  harness.deliver(topic, [{ type, id: `s-${++ids}`, time, data }]);
const accepted = (events: readonly Published[]) => ofType(events, 'SignalAccepted')[0];
const consentOf = (events: readonly Published[], contactId: string | undefined) =>
  ofType(events, 'ConsentsChanged').findLast((c) => c.contactId === contactId);
const sales = (consents: DataOf<'ConsentsChanged'> | undefined) =>
  consents?.entries.filter((e) => e.purpose === 'sales' && e.channel === 'email').map((e) => e.status);

/** The website knows her by a reference, the mailer by her address: two contacts. */
async function twoContacts() {
  const byRef = accepted(
    await send(website, 'ContentEngaged', {
      account: { id: 'a' },
      contact: { ref: 'crm:17' },
      contentId: 'c',
      topic: 't',
    }),
  );
  const byMail = accepted(await send(mailer, 'EmailOpened', { contact: { email } }));
  expect(byRef?.contactId).not.toBe(byMail?.contactId);
  return { surviving: byRef?.contactId ?? '', other: byMail?.contactId ?? '' };
}

test('website and mailer know her as two contacts; the mailer may not say that they are one, the CRM may, and from then on all signals are accepted', async () => {
  const { surviving, other } = await twoContacts();
  for (const [topic, type] of [
    [mailer, 'EmailOpened'],
    [mailer, 'ContactUpserted'],
    [crm, 'EmailOpened'],
  ] as const) {
    expect(ofType(await send(topic, type, { contact: both }), 'SignalRejected')).toMatchObject([
      { reasons: [{ code: 'identity-conflict' }] },
    ]);
  }
  const stated = await send(crm, 'ContactUpserted', { contact: both });
  expect(accepted(stated)).toMatchObject({ contactId: surviving, joined: other });
  expect(ofType(stated, 'SignalRejected')).toEqual([]);
  for (const contact of [both, { email }, { ref: 'crm:17' }]) {
    const after = accepted(await send(mailer, 'EmailOpened', { contact }));
    expect([after?.contactId, after?.joined]).toEqual([surviving, undefined]);
  }
  // No effect reaches the contact that is no one any more, and nothing that is granted later opens it.
  expect(consentOf(stated, other)?.suppressions.map((s) => [s.channel, s.reason])).toEqual(
    ['email', 'advertising', 'crm'].map((channel) => [channel, 'erased']),
  );
  const gone = ofType(stated, 'ProfileChanged').find((p) => p.kind === 'contact' && p.contactId === other);
  expect(gone).toMatchObject({ reachable: [] });
});

test.each(['reference', 'address'])(
  'a withdrawal by her %s before they are joined stays, although grants of the other and of the statement are later',
  async (by) => {
    const { surviving, other } = await twoContacts();
    const [withdrawing, granting] =
      by === 'reference' ? [{ ref: 'crm:17' }, { email }] : [{ email }, { ref: 'crm:17' }];
    const sales_ = { purpose: 'sales', channel: 'email' };
    await send(
      mailer,
      'ConsentChanged',
      { contact: withdrawing, ...sales_, status: 'withdrawn' },
      '2026-11-20T10:00:00.000Z',
    );
    await send(mailer, 'EmailComplained', { contact: withdrawing }, '2026-11-20T10:00:00.000Z');
    await send(
      website,
      'ConsentChanged',
      { contact: granting, ...sales_, status: 'granted' },
      '2026-11-21T09:00:00.000Z',
    );
    const stated = await send(crm, 'ContactUpserted', { contact: both, consents: grants });
    expect(accepted(stated)).toMatchObject({ contactId: surviving, joined: other });
    for (const id of [surviving, other]) {
      expect(sales(consentOf(stated, id))).toEqual(['withdrawn']);
      expect(consentOf(stated, id)?.suppressions).toContainEqual(expect.objectContaining({ reason: 'complained' }));
    }
    // The contact that stays is suppressed by what she did, never by the join.
    expect(consentOf(stated, surviving)?.suppressions.map((s) => s.reason)).toEqual(['complained']);
    const after = await send(mailer, 'EmailUnsubscribed', { contact: { email } });
    expect(consentOf(after, surviving)?.entries.map((e) => e.status)).toEqual(Array(4).fill('withdrawn'));
  },
);

test('a signal that was rejected before is accepted under a new id, and stays a duplicate under its own', async () => {
  const { surviving } = await twoContacts();
  const opening = { type: 'EmailOpened', data: { contact: both } };
  const before = await harness.deliver(mailer, [{ ...opening, id: 'rejected' }]);
  expect(ofType(before, 'SignalRejected')[0]?.reasons[0]?.code).toBe('identity-conflict');
  await send(crm, 'ContactUpserted', { contact: both });
  const again = await harness.deliver(mailer, [{ ...opening, id: 'rejected' }]);
  expect(ofType(again, 'SignalRejected')[0]?.reasons[0]?.code).toBe('duplicate');
  expect(accepted(await harness.deliver(mailer, [{ ...opening, id: 'rejected-2' }]))?.contactId).toBe(surviving);
});

test('an address that has a reference of its own stays that of the other person, also where it was joined; further addresses of a reference are joined', async () => {
  const { surviving } = await twoContacts();
  await send(crm, 'ContactUpserted', { contact: both });
  // Another person of the CRM with the same address, known by her reference alone or by another address too.
  const two = accepted(
    await send(crm, 'ContactUpserted', { contact: { ref: 'crm:18', email: 'second@example.com' } }),
  )?.contactId;
  const three = accepted(
    await send(website, 'PageViewed', { contact: { ref: 'crm:19' }, url: 'https://example.com/' }),
  )?.contactId;
  for (const contact of [
    { ref: 'crm:18', email },
    { ref: 'crm:19', email },
    { ref: 'crm:17', email: 'second@example.com' },
  ]) {
    const outputs = await send(crm, 'ContactUpserted', { contact, consents: grants });
    expect(ofType(outputs, 'SignalRejected')[0]?.reasons[0]?.code).toBe('identity-conflict');
    expect(ofType(outputs, 'ConsentsChanged')).toEqual([]);
  }
  expect(new Set([surviving, two, three]).size).toBe(3);
  // A second address of hers that only the mailer knew.
  const work = { email: 'jane@work.example' };
  const third = accepted(await send(mailer, 'EmailOpened', { contact: work }))?.contactId;
  expect(accepted(await send(crm, 'ContactUpserted', { contact: { ref: 'crm:17', ...work } }))).toMatchObject({
    contactId: surviving,
    joined: third,
  });
  for (const contact of [work, { email }, { ref: 'crm:17' }]) {
    expect(accepted(await send(mailer, 'EmailOpened', { contact }))?.contactId).toBe(surviving);
  }
});

test('what was known of either is known of the one that stays', async () => {
  const { surviving, other } = await twoContacts();
  await send(mailer, 'EmailDelivered', { contact: { email } }, '2026-11-20T10:00:00.000Z');
  const stated = await send(crm, 'ContactUpserted', { contact: both, seniority: 'vp' });
  const [profile] = ofType(stated, 'ProfileChanged').filter((p) => p.kind === 'contact' && p.contactId === surviving);
  expect(profile).toMatchObject({
    signals: 4,
    accountId: 'a',
    seniority: 'vp',
    reachable: ['email'],
    firstTouchedAt: '2026-11-20T10:00:00.000Z',
  });
  expect(ofType(stated, 'ProfileChanged')).toContainEqual(
    expect.objectContaining({ contactId: other, joinedInto: surviving }),
  );
});

test('a redelivery of the joining signal says the same again, and a restart or a lost table of joins forgets nothing', async () => {
  const { surviving, other } = await twoContacts();
  await send(mailer, 'EmailUnsubscribed', { contact: { email } });
  const records = harness.records(crm, [{ type: 'ContactUpserted', id: 'join', data: { contact: both } }]);
  const stated = await harness.deliverRecords(crm, records);
  expect(accepted(stated)).toMatchObject({ contactId: surviving, joined: other });
  expect(await harness.deliverRecords(crm, records)).toEqual(stated);
  await harness.close();
  await start();
  for (const lost of [false, true]) {
    // The next batch reads from the profile what a restored table lacks.
    if (lost) await harness.query('TRUNCATE contact_joins');
    const [topic, type] = lost ? [mailer, 'EmailUnsubscribed'] : [mailer, 'EmailOpened'];
    const after = await send(topic, type, { contact: { email } });
    expect(accepted(after)?.contactId).toBe(surviving);
    expect(accepted(await send(crm, 'ContactUpserted', { contact: both }))).toMatchObject({ contactId: surviving });
  }
  expect(await harness.query('SELECT contact_id, into_id FROM contact_joins')).toEqual([
    { contact_id: other, into_id: surviving },
  ]);
});

test('two statements of two instances that mean the same address join it to one of them, and the other is a conflict', async () => {
  await twoContacts();
  await send(crm, 'ContactUpserted', { contact: { ref: 'crm:18' } });
  const from = harness.published.length;
  const sending = ['crm:17', 'crm:18'].map((ref) => send(crm, 'ContactUpserted', { contact: { ref, email } }));
  await Promise.all(sending);
  const published = harness.published.slice(from);
  expect(ofType(published, 'SignalAccepted').filter((s) => s.joined !== undefined)).toHaveLength(1);
  expect(ofType(published, 'SignalRejected').map((r) => r.reasons[0]?.code)).toEqual(['identity-conflict']);
});

test.each(['EmailUnsubscribed', 'EmailOpened'])(
  '%s that is on its way while the CRM joins her contacts counts for the one that stays',
  async (type) => {
    const { surviving, other } = await twoContacts();
    let resume = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const { Store } = await import('./profiles.repository.js');
    const store = harness.app.get(Store);
    const persons = store.persons.bind(store);
    let looked = (): void => undefined;
    const found = new Promise<void>((resolve) => {
      looked = resolve;
    });
    // The withdrawal has looked up who is meant, and waits; the statement is handled whole meanwhile.
    store.persons = async (...args) => {
      const result = await persons(...args);
      store.persons = persons;
      looked();
      await held;
      return result;
    };
    const onItsWay = send(mailer, type, { contact: { email } });
    await found;
    expect(accepted(await send(crm, 'ContactUpserted', { contact: both }))).toMatchObject({
      contactId: surviving,
      joined: other,
    });
    resume();
    expect(accepted(await onItsWay)?.contactId).toBe(surviving);
    const [row] = await harness.query<{ data: DataOf<'ConsentsChanged'> }>(
      `SELECT data FROM own_state WHERE topic = 'consents.v1' AND key = $1`,
      [surviving],
    );
    expect(sales(row?.data)).toEqual(type === 'EmailUnsubscribed' ? ['withdrawn'] : []);
  },
);
