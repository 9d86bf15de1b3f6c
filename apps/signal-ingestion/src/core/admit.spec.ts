import { signalKinds, signalMembers, signalTypes } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type AdmissionLimits, admit as admitted } from './admit.js';
import type { Signal } from './signal.js';
import { signal } from './testing.js';

const limits: AdmissionLimits = { freshnessDays: 30, minimumScore: 15 };
const now = '2026-11-21T10:00:00.000Z';
/** What the source of these tests declares. */
const sends: Record<string, string[]> = {
  ContentEngaged: ['account', 'contact.ref', 'contact.email', 'contentId', 'topic', 'url', 'seconds'],
  ContactUpserted: [
    'contact.ref',
    'contact.email',
    'account',
    'person',
    'seniority',
    'jobFunction',
    'timeZone',
    'country',
    'consents',
  ],
  PageViewed: ['account', 'contact.ref', 'contact.email', 'url', 'title', 'seconds'],
  EmailBounced: ['contact.ref', 'contact.email', 'messageId', 'emailCampaignId', 'bounce'],
};
const admit = (given: Signal, at: string, within: AdmissionLimits) => admitted(given, at, within, sends[given.type]);
const contact = { ref: 'crm:1' };
const engaged = (time: string): Signal =>
  signal('ContentEngaged', { account: { id: 'a' }, contact, contentId: 'c', topic: 'comparison' }, { time });
const withdrawn = (time: string): Signal =>
  signal('ConsentChanged', { contact, purpose: 'sales', channel: 'email', status: 'withdrawn' }, { time });
const bareUpsert = (time: string): Signal => signal('ContactUpserted', { contact }, { time });

test('a signal of now is fresh and may trigger a play', () => {
  expect(admit(engaged(now), now, limits)).toEqual({
    ok: true,
    occurredAt: now,
    triggers: true,
    quality: { freshness: 100, completeness: 57, score: 68 },
  });
});

test('freshness falls with age, and at the limit a signal stops triggering but is still accepted', () => {
  expect(admit(engaged('2026-11-06T10:00:00.000Z'), now, limits)).toMatchObject({
    ok: true,
    triggers: true,
    quality: { freshness: 50 },
  });
  expect(admit(engaged('2026-10-22T10:00:00.000Z'), now, limits)).toMatchObject({
    ok: true,
    triggers: false,
    quality: { freshness: 0 },
  });
  expect(admit(engaged('2026-10-22T10:00:00.001Z'), now, limits)).toMatchObject({ ok: true, triggers: true });
});

test('a signal dated more than five minutes ahead is rejected and says by how much', () => {
  expect(admit(engaged('2026-11-21T10:05:00.001Z'), now, limits)).toMatchObject({
    ok: false,
    fault: { code: 'future', field: 'time', detail: expect.stringContaining('6 minutes') },
  });
  expect(admit(engaged('2026-11-23T10:00:00.000Z'), now, limits)).toMatchObject({
    fault: { detail: 'time: 2 days ahead of the clock here' },
  });
});

test('a clock a little ahead is forgiven: the signal happened when it was received', () => {
  expect(admit(engaged('2026-11-21T10:05:00.000Z'), now, limits)).toMatchObject({
    ok: true,
    occurredAt: now,
    triggers: true,
  });
});

test.each([
  ['a withdrawal', withdrawn('2027-01-01T00:00:00.000Z')],
  [
    'a grant',
    signal(
      'ConsentChanged',
      { contact, purpose: 'sales', channel: 'email', status: 'granted' },
      { time: '2027-01-01T00:00:00.000Z' },
    ),
  ],
  ['a complaint', signal('EmailComplained', { contact }, { time: '2027-01-01T00:00:00.000Z' })],
  ['a hard bounce', signal('EmailBounced', { contact, bounce: 'hard' }, { time: '2027-01-01T00:00:00.000Z' })],
])('%s dated in the future counts from its receipt and triggers nothing', (_name, given) => {
  expect(admit(given, now, limits)).toMatchObject({ ok: true, occurredAt: now, triggers: false });
});

test('an old signal that says next to nothing is rejected for its quality, a fresh one is not', () => {
  expect(admit(bareUpsert('2020-01-01T00:00:00.000Z'), now, limits)).toMatchObject({
    ok: false,
    fault: { code: 'quality', detail: 'score 8 is below 15: freshness 0, completeness 11' },
  });
  expect(admit(bareUpsert(now), now, limits)).toMatchObject({ ok: true });
});

test('a withdrawal, an unsubscription, a complaint or a hard bounce is never rejected for its quality', () => {
  const strict = { ...limits, minimumScore: 100 };
  const old = { time: '2001-01-01T00:00:00.000Z' };
  const consents = [{ purpose: 'sales', channel: 'email', status: 'withdrawn' }] as const;
  for (const given of [
    withdrawn(old.time),
    signal('EmailUnsubscribed', { contact }, old),
    signal('EmailComplained', { contact }, old),
    signal('EmailBounced', { contact, bounce: 'hard' }, old),
    signal('ContactUpserted', { contact, consents: [...consents] }, old),
  ]) {
    expect(admit(given, now, strict)).toMatchObject({ ok: true, triggers: false });
  }
  expect(admit(signal('EmailBounced', { contact, bounce: 'soft' }, old), now, strict)).toMatchObject({ ok: false });
});

test('an old upsert that gives a reference its address is worth keeping', () => {
  const both = { ref: 'crm:1', email: 'jane@example.com' };
  const given = signal('ContactUpserted', { contact: both }, { time: '2020-01-01T00:00:00.000Z' });
  expect(admit(given, now, limits)).toMatchObject({ ok: true });
});

test('completeness is the share of the members that the source declares; what it does not declare changes nothing', () => {
  const viewed = (data: Record<string, unknown>) =>
    signal('PageViewed', { contact: { ref: 'crm:1' }, url: 'https://example.com/', ...data }, { time: now });
  const completeness = (given: Signal, declared?: string[]) => {
    const admission = admitted(given, now, limits, declared);
    return admission.ok ? admission.quality.completeness : undefined;
  };
  expect(completeness(viewed({}), ['contact.ref', 'url'])).toBe(100);
  expect(completeness(viewed({}), ['contact.ref', 'contact.email', 'url', 'title'])).toBe(50);
  expect(completeness(viewed({ title: 'Pricing' }), ['contact.ref', 'contact.email', 'url', 'title'])).toBe(75);
  expect(completeness(viewed({ title: 'Pricing', seconds: 3 }), ['contact.ref', 'url'])).toBe(100);
  expect(completeness(viewed({}))).toBe(100);
});

test('an optional member that a type gets later changes the quality of no signal', () => {
  const all = signalTypes.map((type) => [type, signalMembers(type)] as const);
  const quality = () =>
    all.map(([type]) => admitted({ ...engaged(now), type } as Signal, now, limits, ['contact.ref', 'contact.email']));
  const before = quality();
  for (const [type] of all) Object.assign(signalKinds[type].inbound.shape, { later: z.string().optional() });
  try {
    expect(signalMembers('PageViewed')).toContain('later');
    expect(quality()).toEqual(before);
  } finally {
    for (const [type] of all) Reflect.deleteProperty(signalKinds[type].inbound.shape, 'later');
  }
});
