import { expect, test } from 'vitest';
import { type ConsentState, consentFacts, consentsAfter, joinedConsents } from './consents.js';
import type { Signal } from './signal.js';
import { at, signal } from './testing.js';

const contact = { ref: 'crm:1' };
const none: ConsentState = { entries: [], suppressions: [] };
const changed = (status: 'granted' | 'withdrawn', time: string, id = 's'): Signal =>
  signal('ConsentChanged', { contact, purpose: 'sales', channel: 'email', status }, { time, id });
const applySignals = (signals: readonly Signal[]): ConsentState =>
  signals.reduce((state, s) => consentsAfter(state, consentFacts(s), at(s.time, s.id)), none);
const statusOf = (state: ConsentState) => state.entries.map((e) => [e.purpose, e.channel, e.status]);

const early = '2026-01-01T00:00:00.000Z';
const late = '2026-02-01T00:00:00.000Z';

test('the later of two consent facts wins, in whichever order they arrive', () => {
  const [granted, withdrawn] = [changed('granted', late), changed('withdrawn', early)];
  expect(statusOf(applySignals([withdrawn, granted]))).toEqual([['sales', 'email', 'granted']]);
  expect(statusOf(applySignals([granted, withdrawn]))).toEqual([['sales', 'email', 'granted']]);
});

test('a tie withdraws, in whichever order they arrive', () => {
  const [granted, withdrawn] = [changed('granted', late), changed('withdrawn', late)];
  expect(statusOf(applySignals([withdrawn, granted]))).toEqual([['sales', 'email', 'withdrawn']]);
  expect(statusOf(applySignals([granted, withdrawn]))).toEqual([['sales', 'email', 'withdrawn']]);
});

test('an entry names the signal that it came from', () => {
  expect(applySignals([changed('granted', early, 'first')]).entries[0]).toEqual({
    purpose: 'sales',
    channel: 'email',
    status: 'granted',
    at: early,
    source: '/sources/crm',
    signalId: 'first',
  });
});

test('a purpose or a channel does not answer for another', () => {
  const state = applySignals([
    changed('granted', early),
    signal('ConsentChanged', { contact, purpose: 'sales', channel: 'crm', status: 'withdrawn' }, { time: late }),
    signal('ConsentChanged', { contact, purpose: 'newsletter', channel: 'email', status: 'withdrawn' }, { time: late }),
  ]);
  expect(statusOf(state)).toContainEqual(['sales', 'email', 'granted']);
});

test('an unsubscription withdraws its purpose, or every purpose where it names none, from email only', () => {
  const single = applySignals([signal('EmailUnsubscribed', { contact, purpose: 'newsletter' }, { time: late })]);
  expect(statusOf(single)).toEqual([['newsletter', 'email', 'withdrawn']]);
  const all = applySignals([changed('granted', early), signal('EmailUnsubscribed', { contact }, { time: late })]);
  expect(statusOf(all)).toEqual(
    ['newsletter', 'sales', 'product', 'service'].map((purpose) => [purpose, 'email', 'withdrawn']),
  );
});

test('consents in a form and in an upsert count like any other', () => {
  const consents = [{ purpose: 'sales', channel: 'email', status: 'granted' } as const];
  expect(statusOf(applySignals([signal('FormSubmitted', { contact, formId: 'f', consents })]))).toEqual([
    ['sales', 'email', 'granted'],
  ]);
  expect(statusOf(applySignals([signal('ContactUpserted', { contact, consents })]))).toEqual([
    ['sales', 'email', 'granted'],
  ]);
});

test('a complaint and a hard bounce suppress the channel from the first of their kind on, a soft bounce does not', () => {
  const complained = (time: string, id: string) => signal('EmailComplained', { contact }, { time, id });
  const state = applySignals([
    complained(late, 'second'),
    complained(early, 'first'),
    signal('EmailBounced', { contact, bounce: 'hard' }, { time: late, id: 'bounce' }),
    signal('EmailBounced', { contact, bounce: 'soft' }, { time: late }),
  ]);
  expect(state.suppressions).toEqual([
    { channel: 'email', reason: 'complained', at: early, signalId: 'first' },
    { channel: 'email', reason: 'hard-bounce', at: late, signalId: 'bounce' },
  ]);
});

test('of one person who was two contacts a withdrawal of either stays, whatever was granted later; else the later fact counts', () => {
  const granted = applySignals([changed('granted', late)]);
  const withdrawn = applySignals([changed('withdrawn', early)]);
  for (const joined of [joinedConsents(granted, withdrawn), joinedConsents(withdrawn, granted)]) {
    expect(joined.entries).toEqual(withdrawn.entries);
  }
  const before = applySignals([changed('granted', early)]);
  expect(joinedConsents(before, granted).entries).toEqual(granted.entries);
  expect(joinedConsents(none, granted).entries).toEqual(granted.entries);
  const complained = applySignals([signal('EmailComplained', { contact }, { time: late })]);
  const bounced = applySignals([signal('EmailBounced', { contact, bounce: 'hard' }, { time: late })]);
  expect(joinedConsents(complained, bounced).suppressions.map((s) => s.reason)).toEqual(['complained', 'hard-bounce']);
});
