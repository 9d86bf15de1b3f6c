import { checkEvent, topicNamed, topology } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { sample, signalsOf } from './core/sample.js';
import { everyday } from './core/signals.js';
import { cast, world } from './core/world.js';

const start = '2026-03-10T23:59:30.000Z';
const made = sample(start, 7);
const published = made.setup.concat(made.stories.flatMap((s) => s.steps)).filter((s) => s.do === 'publish');
const inboundOf = (source: string) => topicNamed(`signals.inbound.${source}.v1`, topology());

test('the same seed and start give the same bytes; another seed other ids', () => {
  expect(JSON.stringify(sample(start, 7))).toBe(JSON.stringify(made));
  const ids = new Set(signalsOf(made).map((s) => s.id));
  expect(signalsOf(sample(start, 8)).filter((s) => ids.has(s.id))).toEqual([]);
});

test('ids do not depend on the start, only times do', () => {
  const later = signalsOf(sample('2027-01-01T00:00:00.000Z', 7));
  expect(later.map((s) => s.id)).toEqual(signalsOf(made).map((s) => s.id));
  expect(later[0]?.time).not.toBe(signalsOf(made)[0]?.time);
});

test('every signal has its contract, but the planted ones', () => {
  const faults = published.flatMap(({ source, signals }) =>
    signals.flatMap((s) => {
      const read = checkEvent(inboundOf(source), s);
      return read.ok ? [] : [`${source}: ${read.fault.detail}`];
    }),
  );
  expect(faults).toEqual(['upstream: data.contact: give ref, email, or both']);
  const offered = made.stories.flatMap((s) => s.steps).filter((s) => s.do === 'offer');
  expect(offered.length).toBeGreaterThan(1);
  for (const { source, event } of offered) expect(checkEvent(inboundOf(source), event).ok).toBe(false);
});

test('an id names one event, and only planted duplicates come twice', () => {
  const signals = signalsOf(made);
  const bytes = new Map<string, Set<string>>();
  for (const s of signals) bytes.set(s.id, (bytes.get(s.id) ?? new Set()).add(JSON.stringify(s)));
  expect([...bytes.values()].filter((b) => b.size > 1)).toEqual([]);
  expect(signals.length - bytes.size).toBe(3);
});

describe('the world', () => {
  const { accounts, campaigns } = made.world;
  const contacts = accounts.flatMap((a) => a.contacts);

  test('has 40 accounts, 160 reachable contacts and ten campaigns in two ad accounts', () => {
    expect([accounts.length, contacts.length, campaigns.length]).toEqual([40, 160, 10]);
    expect(new Set(campaigns.map((c) => c.adAccountId)).size).toBe(2);
    for (const list of [accounts.map((a) => a.id), contacts.map((c) => c.email), contacts.map((c) => c.ref)]) {
      expect(new Set(list).size).toBe(list.length);
    }
  });

  test('has two weeks of signals, a few hundred at least, none of them later than the start', () => {
    const signals = Object.values(everyday(7, start, world(7))).flat();
    expect(signals.length).toBeGreaterThan(300);
    expect(signalsOf(made).length).toBeLessThan(1_500);
    const ages = signals.map((s) => Date.parse(start) - Date.parse(s.time));
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...ages)).toBeLessThan(14 * 86_400_000);
  });

  test('starts no play by what goes on beside the stories, and leaves the partner one contact short of a surge', () => {
    const beside = made.setup.flatMap((s) => (s.do === 'publish' ? s.signals : []));
    const topics = beside.flatMap((s) => (s.type === 'ContentEngaged' ? [s.data] : [])) as {
      account: { id: string };
      topic: string;
    }[];
    const comparing = topics.filter(({ topic }) => topic === 'comparison' || topic === 'pricing');
    expect(comparing.map(({ account }) => account.id)).toEqual([cast.partner, cast.partner]);
  });

  test('agrees to messages and is of tier 1 wherever a story needs it, with a CFO nobody has written to', () => {
    for (const id of Object.values(cast)) {
      const account = accounts.find((a) => a.id === id);
      expect(account?.tier).toBe(1);
      expect(account?.contacts.every((c) => c.consents.includes('sales'))).toBe(true);
    }
    const cfo = contacts.find((c) => c.seniority === 'c-suite' && c.accountId === cast.cfo);
    expect(cfo?.jobFunction).toBe('finance');
    const delivered = signalsOf(made).filter((s) => s.type === 'EmailDelivered');
    expect(delivered.some((s) => JSON.stringify(s.data).includes(`"${cfo?.ref}"`))).toBe(false);
  });
});
