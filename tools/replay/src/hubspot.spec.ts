import { expect, test } from 'vitest';
import { hubspot } from './hubspot.js';
import type { Mapped } from './mapping.js';

const synced = { _fivetran_synced: '2021-04-02 11:16:05' };
const signalsOf = (mapped: Mapped) => (mapped.as === 'signals' ? mapped.signals : []);
const whyOf = (mapped: Mapped) => (mapped.as === 'none' ? mapped.reason : mapped.as);

test('a company is an account, as of its last change', () => {
  const [signal] = signalsOf(
    hubspot().row('company', {
      id: '7',
      is_deleted: 'false',
      ...synced,
      property_name: 'Acme',
      property_country: 'United Kingdom',
      property_hs_lastmodifieddate: '2021-01-01 1:00:00',
    }),
  );
  expect(signal).toMatchObject({
    type: 'AccountUpserted',
    source: '/sources/upstream/hubspot',
    time: '2021-01-01T01:00:00.000Z',
    data: { account: { id: 'hubspot:7' }, name: 'Acme', country: 'GB' },
  });
});

test('a contact is known by its reference; an address is taken only where it is one', () => {
  const contact = (email: string) =>
    signalsOf(hubspot().row('contact', { id: '1', ...synced, property_email: email, property_firstname: 'Jane' }))[0]
      ?.data;
  expect(contact('jane@example.com')).toEqual({
    contact: { ref: 'hubspot:1', email: 'jane@example.com' },
    person: { firstName: 'Jane' },
  });
  expect(contact('fcb67ef339b691956cc85fa12be6490c')).toMatchObject({ contact: { ref: 'hubspot:1' } });
  expect(JSON.stringify(contact('fcb67ef339b691956cc85fa12be6490c'))).not.toContain('fcb67');
});

test('a deal needs the company that deal_company names, and its amount a currency', () => {
  const mapping = hubspot();
  const deal = {
    deal_id: 'd',
    deal_pipeline_stage_id: 's1',
    property_amount: '1200.50',
    property_createdate: '2021-01-01',
  };
  expect(whyOf(mapping.row('deal', deal))).toContain('no company');
  mapping.row('deal_company', { company_id: '7', deal_id: 'd' });
  mapping.row('deal_pipeline_stage', { stage_id: 's1', label: 'Won' });
  expect(signalsOf(mapping.row('deal', deal))[0]?.data).toEqual({
    account: { id: 'hubspot:7' },
    dealId: 'hubspot:d',
    stage: 'Won',
  });
  expect(signalsOf(mapping.row('deal', { ...deal, property_deal_currency_code: 'EUR' }))[0]?.data).toMatchObject({
    amountMinor: 120_050,
    currency: 'EUR',
  });
});

test('a meeting is booked by each contact that engagement_contact names', () => {
  const mapping = hubspot();
  const meeting = { engagement_id: 'm', start_time: '2021-09-26 13:00:00', ...synced };
  expect(whyOf(mapping.row('engagement_meeting', meeting))).toContain('names no contact');
  for (const contact_id of ['1', '2']) mapping.row('engagement_contact', { engagement_id: 'm', contact_id });
  const signals = signalsOf(mapping.row('engagement_meeting', meeting));
  expect(signals.map((s) => s.data)).toMatchObject([
    { contact: { ref: 'hubspot:1' } },
    { contact: { ref: 'hubspot:2' } },
  ]);
  expect(new Set(signals.map((s) => s.id)).size).toBe(2);
  // Booked before it was exported, though it starts later.
  expect(signals[0]?.time).toBe('2021-04-02T11:16:05.000Z');
});

const event = (type: string, more: Record<string, string> = {}) => ({
  id: 'e',
  type,
  created: '2020-03-16 19:03:20.357',
  recipient: 'jane@example.com',
  sent_by_id: 'sent-1',
  ...more,
});

test('an email event carries its detail, and tells whom by the address that the contact has', () => {
  const mapping = hubspot();
  mapping.row('contact', { id: '1', ...synced, property_email: 'jane@example.com' });
  expect(mapping.row('email_event_click', { id: 'e', url: 'https://example.com/a' })).toEqual({ as: 'joined' });
  expect(signalsOf(mapping.row('email_event', event('CLICK')))[0]).toMatchObject({
    type: 'EmailClicked',
    time: '2020-03-16T19:03:20.357Z',
    data: { contact: { ref: 'hubspot:1' }, messageId: 'sent-1', url: 'https://example.com/a' },
  });
  expect([...mapping.finish()]).toEqual([]);
});

test('a contact is known by its address in any spelling, and a recipient who can be read no other way by a digest', () => {
  const mapping = hubspot();
  mapping.row('contact', { id: '1', ...synced, property_email: 'Jane@straße.example' });
  const contactOf = (recipient: string) => {
    const [signal] = signalsOf(mapping.row('email_event', event('OPEN', { recipient })));
    return (signal?.data as { contact?: unknown } | undefined)?.contact;
  };
  expect(contactOf('jane@XN--STRAE-OQA.example')).toEqual({ ref: 'hubspot:1' });
  expect(contactOf('jane@größe.example')).toEqual({ email: 'jane@größe.example' });
  expect(contactOf('jane größe')).toEqual({ ref: expect.stringMatching(/^hubspot:recipient:[0-9a-f]{64}$/) });
});

test('a recipient that is only a hash is one person, without an address', () => {
  const [signal] = signalsOf(hubspot().row('email_event', event('OPEN', { recipient: 'o2wjpPyUfzBfq9OSt9I2NQ==' })));
  expect(signal?.data).toMatchObject({ contact: { ref: 'hubspot:recipient:o2wjpPyUfzBfq9OSt9I2NQ==' } });
});

test.each([
  ['DELIVERED', {}, 'EmailDelivered'],
  ['OPEN', {}, 'EmailOpened'],
  ['SPAMREPORT', {}, 'EmailComplained'],
  ['STATUSCHANGE', { portal_subscription_status: 'UNSUBSCRIBED' }, 'EmailUnsubscribed'],
  ['STATUSCHANGE', { subscriptions: '[{"id":13,"status":"UNSUBSCRIBED"}]' }, 'EmailUnsubscribed'],
  [
    'STATUSCHANGE',
    { portal_subscription_status: 'SUBSCRIBED', subscriptions: "[{'status': 'unsubscribed'}]" },
    'EmailUnsubscribed',
  ],
  [
    'STATUSCHANGE',
    { subscriptions: '[{"id":1,"status":"SUBSCRIBED"},{"id":2,"status":"UNSUBSCRIBED"}]' },
    'EmailUnsubscribed',
  ],
  ['STATUSCHANGE', { subscriptions: '[{"id":1,"legalBasisChange":{"optState":"OPT_OUT"}}]' }, 'EmailUnsubscribed'],
  ['STATUS_CHANGE', { portal_subscription_status: 'UNSUBSCRIBED' }, 'EmailUnsubscribed'],
  ['STATUSCHANGE', { subscriptions: '[]', bounced: 'true' }, 'hard'],
  ['BOUNCE', { status: '550' }, 'hard'],
  ['BOUNCE', { status: '451', category: 'THROTTLED' }, 'soft'],
  ['BOUNCE', { status: '450', category: 'UNKNOWN_USER' }, 'hard'],
])('an event %s with %o becomes %s', (type, detail, expected) => {
  const mapping = hubspot();
  mapping.row('email_event_status_change', { id: 'e', ...detail });
  const [signal] = signalsOf(mapping.row('email_event', event(type)));
  expect(expected).toBe(signal?.type === 'EmailBounced' ? (signal.data as { bounce: string }).bounce : signal?.type);
});

test.each([
  ['email_event', event('SENT'), 'type SENT'],
  ['email_event', event('STATUSCHANGE'), 'does not say to what'],
  ['email_event', event('OPEN', { filtered_event: 'true' }), 'not the act of a person'],
  ['email_event', event('OPEN', { created: 'once' }), 'created holds "a": a time'],
  ['email_event', event('STATUSCHANGE', { created: 'once' }), 'does not say to what'],
  ['company', { id: '7', is_deleted: 'vrai', ...synced }, 'is_deleted holds "a": true or false'],
  ['company', { id: '7', property_hs_lastmodifieddate: '1/2/2021', ...synced }, 'hs_lastmodifieddate holds "9/9/9999"'],
  ['company', { id: '7', is_deleted: 'TRUE', ...synced }, 'was deleted'],
  ['contact_list', { id: '1' }, 'a list is no signal'],
  ['ticket', { id: '1' }, 'no canonical signal'],
  ['contact', { id: 'with space', ...synced }, 'does not fit ContactUpserted: data.contact.ref'],
])('a row of %s that is no signal says why', (table, cells, reason) => {
  expect(whyOf(hubspot().row(table, cells))).toContain(reason);
});

test.each([
  [{ portal_subscription_status: 'SUBSCRIBED', subscriptions: '[]' }],
  [{ subscriptions: '[{"id":13,"status":"SUBSCRIBED"}]' }],
])('who comes back with %o is granted nothing: no purpose is named', (detail) => {
  const mapping = hubspot();
  mapping.row('email_event_status_change', { id: 'e', ...detail });
  expect(whyOf(mapping.row('email_event', event('STATUSCHANGE')))).toContain('grants nothing');
});

test('what takes a permission away counts, filtered or of an unknown time, in any of its details', () => {
  const mapping = hubspot();
  mapping.row('email_event_sent', { id: 'e' });
  mapping.row('email_event_status_change', { id: 'e', subscriptions: '[{"status":"UNSUBSCRIBED"}]' });
  const more = { filtered_event: 'true', created: 'once', ...synced };
  expect(signalsOf(mapping.row('email_event', event('STATUSCHANGE', more)))[0]).toMatchObject({
    type: 'EmailUnsubscribed',
    time: '2021-04-02T11:16:05.000Z',
  });
});

test.each(['property_hs_email_optout', 'hs_email_optout_123'])('a contact with %s has withdrawn', (column) => {
  const data = (value: string) =>
    signalsOf(hubspot().row('contact', { id: '1', ...synced, [column]: value }))[0]?.data as { consents?: unknown[] };
  expect(data('true').consents).toHaveLength(4);
  expect(data('true').consents).toContainEqual({ purpose: 'newsletter', channel: 'email', status: 'withdrawn' });
  expect(data('false').consents).toBeUndefined();
});

test.each([
  [{ property_amount: '1.200,50 €' }, 120_050],
  [{ property_amount: '(5.00)' }, -500],
  [{ property_amount: 'n/a' }, undefined],
  [{ property_amount: '1,200' }, 'property_amount holds "9,999"'],
  [{ property_amount: '$5' }, 'another currency than EUR'],
  [{ property_amount: '5', property_deal_currency_code: 'QQQ' }, 'ISO 4217 has no currency QQQ'],
  [{ property_closedate: 'soon' }, 'property_closedate holds "a"'],
])('a deal with %o is %s', (over, expected) => {
  const mapping = hubspot();
  mapping.row('deal_company', { company_id: '7', deal_id: 'd' });
  const deal = { deal_id: 'd', deal_pipeline_stage_id: 's', property_deal_currency_code: 'EUR', ...synced, ...over };
  const mapped = mapping.row('deal', deal);
  if (typeof expected === 'string') expect(whyOf(mapped)).toContain(expected);
  else expect(signalsOf(mapped)).toMatchObject([{ data: expected === undefined ? {} : { amountMinor: expected } }]);
});

test('a detail without an email event, or of one that is no signal, is none either', () => {
  const mapping = hubspot();
  mapping.row('email_event_open', { id: 'alone' });
  mapping.row('email_event_sent', { id: 'e' });
  mapping.row('email_event', event('SENT'));
  expect([...mapping.finish()]).toEqual([
    { table: 'email_event_open', rows: 1, reason: expect.stringContaining('no email_event') },
    { table: 'email_event_sent', rows: 1, reason: 'its email_event is no signal' },
  ]);
});

test('the same row gives the same id in every run, a changed one another', () => {
  const idOf = (name: string) =>
    signalsOf(hubspot().row('company', { id: '7', property_name: name, ...synced }))[0]?.id;
  expect(idOf('Acme')).toBe(idOf('Acme'));
  expect(idOf('Acme')).not.toBe(idOf('Acme SE'));
});
