import type { BenchPlay } from './settings.js';

/** A record as a client of any language would write it to the topic of its source. */
export interface SignalRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const inboundTopic = 'signals.inbound.upstream.v1';
const headers = { 'content-type': 'application/cloudevents+json' };
const source = '/sources/upstream';

/** Every person has an account of their own: what one signal leads to depends on no other signal. */
export const accountOf = (n: number): string => `bench-${n}`;
const refOf = (n: number): string => `bench:${n}`;

const record = (n: number, id: string, type: string, data: object): SignalRecord => ({
  key: accountOf(n),
  headers,
  value: JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data,
  }),
});

/** The n-th person becomes known, with an address and their consent. */
export const known = (n: number): SignalRecord =>
  record(n, `known:${n}`, 'ContactUpserted', {
    account: { id: accountOf(n) },
    contact: { ref: refOf(n), email: `person${n}@bench.example` },
    seniority: 'manager',
    jobFunction: 'operations',
    timeZone: 'Europe/Berlin',
    country: 'DE',
    consents: [{ purpose: 'sales', channel: 'email', status: 'granted' }],
    person: { firstName: `First${n}`, lastName: `Last${n}` },
  });

/** The n-th person engages, which starts the play. What follows carries this id as its `correlationid`. */
export const engagementId = (play: BenchPlay, n: number): string => `${play}:${n}`;
export const engaged = (play: BenchPlay, n: number): SignalRecord =>
  record(n, engagementId(play, n), 'ContentEngaged', {
    account: { id: accountOf(n) },
    contact: { ref: refOf(n) },
    contentId: 'comparison-guide',
    topic: play,
    seconds: 60,
    url: 'https://www.example.com/guides/comparison',
  });

/** The n-th person wants no more messages of sales. */
export const unsubscribed = (n: number): SignalRecord =>
  record(n, `unsubscribed:${n}`, 'EmailUnsubscribed', {
    account: { id: accountOf(n) },
    contact: { ref: refOf(n) },
    purpose: 'sales',
  });
