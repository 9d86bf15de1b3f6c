import { expect, test } from 'vitest';
import { type AdmissionLimits, admit } from './admit.js';
import type { Signal } from './signal.js';
import { signal } from './testing.js';

const limits: AdmissionLimits = { freshnessDays: 30, minimumScore: 15 };
const now = '2026-11-21T10:00:00.000Z';
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
    fault: { code: 'future', field: 'time', says: expect.stringContaining('6 minutes') },
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
    fault: { code: 'quality', says: 'score 8 is below 15: freshness 0, completeness 11' },
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

test('completeness is the share of the members of its type that a signal carries', () => {
  const full = signal('PageViewed', {
    account: { id: 'a' },
    contact: { ref: 'crm:1', email: 'jane@example.com' },
    url: 'https://example.com/',
    title: 'Pricing',
    seconds: 3,
  });
  expect(admit({ ...full, time: now } as Signal, now, limits)).toMatchObject({ quality: { completeness: 100 } });
});
