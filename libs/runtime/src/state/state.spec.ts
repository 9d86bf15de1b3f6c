import { type Topic, toBinary, topicNamed, topology } from '@countersign/contracts';
import type { Admin, Kafka } from '@countersign/kafka';
import { expect, test, vi } from 'vitest';
import { defaults } from '../api/limits.js';
import type { Database } from '../database/database.js';
import type { TopicWatch } from '../kafka/topic-watch.js';
import { isBehind } from './own-state.js';
import { followState, isReached, staleIn } from './state.js';

const controls = topicNamed('controls.v1', topology());
const consents = topicNamed('consents.v1', topology());
const record = (version: number, more: object = {}) => {
  const { headers, value } = toBinary({
    id: `control-${version}`,
    source: controls.source,
    type: 'ControlChanged',
    time: '2026-11-21T10:00:00.000Z',
    data: {
      scope: 'all',
      version,
      changedAt: '2026-11-21T10:00:00.000Z',
      state: 'stopped',
      by: 'lea',
      reason: 'r',
      ...more,
    },
  });
  return { partition: 0, offset: '1', key: Buffer.from('all'), headers, value: Buffer.from(value) };
};
const row = (version: number) => ({ version, value: record(version).value.toString() });

test('the last record of a key is behind where the table has a newer version, and only there', () => {
  expect(isBehind(controls, row(3), record(2))).toBe(true);
  expect(isBehind(controls, row(3), record(3))).toBe(false);
  expect(isBehind(controls, row(3), record(4))).toBe(false);
});

test('an unreadable last record is behind, and so is a tombstone', () => {
  expect(isBehind(controls, row(3), { ...record(3), value: Buffer.from('{') })).toBe(true);
  expect(isBehind(controls, row(3), { ...record(3), value: null })).toBe(true);
});

test('the table’s own bytes are never behind, even where a stricter contract refuses them: the repair ends', () => {
  const own = record(3, { state: 'no longer a state' });
  expect(isBehind(controls, { version: 3, value: own.value.toString() }, own)).toBe(false);
});

test('a topic that was not found read to its end for ten seconds is named, with the seconds', () => {
  const compared = { 'controls.v1': () => 10_000, 'consents.v1': () => 14_400, 'policies.v1': null };
  expect(staleIn(compared)).toEqual({ 'consents.v1': 14 });
});

test('a table has all before an end also where only what it has nothing of lies between, unless it was put back to before that', () => {
  expect(isReached(10, 10)).toBe(true);
  expect(isReached(10, 5)).toBe(false);
  expect(isReached(10, 5, { from: 5, next: 10 })).toBe(true);
  expect(isReached(10, 5, { from: 5, next: 9 })).toBe(false);
  expect(isReached(10, 4, { from: 5, next: 10 })).toBe(false);
});

/** Follows topics with a consumer that is given nothing, over tables that were read to `at`. */
const follow = async (
  topics: readonly Topic[],
  broker: Pick<Parameters<typeof followState>[0], 'facts'> & { readonly admin?: Pick<Admin, 'fetchTopicOffsets'> },
  at: () => readonly { topic: string; partition: number; next_offset: number }[],
  compareEveryMs = 1,
) => {
  const consumer = {
    events: {},
    on: () => undefined,
    connect: async () => undefined,
    subscribe: async () => undefined,
  };
  const kafka = {
    consumer: () => ({ ...consumer, run: async () => undefined, disconnect: async () => undefined }),
  } as unknown as Kafka;
  const admin = { fetchTopicOffsets: async () => [], ...broker.admin } as unknown as Admin;
  return followState({
    ...{ kafka, admin, facts: broker.facts, topics, service: 's', lookedUp: new Map() },
    db: { read: async () => at() } as unknown as Database,
    limits: { ...defaults, compareEveryMs },
    now: () => '2026-11-21T10:00:00.000Z',
    log: { log: () => undefined, warn: () => undefined, error: () => undefined },
    watch: { add: () => undefined, unreadable: () => new Set() } as unknown as TopicWatch,
  });
};

test('tables that are always a little behind a topic that never rests are compared with where it ended a little ago', async () => {
  let end = 10;
  const facts = {
    offsets: async (_topics: readonly string[], which: unknown) => {
      if (which === 'end') end += 10;
      return new Map([[`${controls.name}/0`, which === 'end' ? end : 0]]);
    },
  };
  // The tables are where the topic was two looks ago.
  const reader = await follow([controls], { facts }, () => [
    { topic: controls.name, partition: 0, next_offset: end - 20 },
  ]);
  try {
    await reader.caughtUp();
    const first = reader.comparedAgo()[controls.name];
    await vi.waitUntil(() => reader.comparedAgo()[controls.name] !== first);
  } finally {
    await reader.stop();
  }
});

test('one request asks where all topics end; what a log no longer has is not waited for, and is asked only of what is not read', async () => {
  const offsets = vi.fn(async (topics: readonly string[], which: unknown) => {
    // Of the consents, nothing is left on the topic.
    const all = [
      [`${controls.name}/0`, which === 'end' ? 5 : 0],
      [`${consents.name}/0`, which === 'end' ? 7 : 7],
    ] as const;
    return new Map(all.filter(([place]) => topics.some((topic) => place.startsWith(topic))));
  });
  const reader = await follow([controls, consents], { facts: { offsets } }, () => [
    { topic: controls.name, partition: 0, next_offset: 5 },
  ]);
  try {
    await reader.caughtUp();
  } finally {
    await reader.stop();
  }
  const asked = offsets.mock.calls.map(([topics, which]) => [which, topics.length]);
  expect(asked.slice(0, 2)).toEqual([
    ['end', 2],
    ['first', 1],
  ]);
});

test('what a log still has keeps its topic uncompared until the table has it', async () => {
  let at = 4;
  const facts = {
    offsets: async (_topics: readonly string[], which: unknown) =>
      new Map([[`${controls.name}/0`, which === 'end' ? 5 : 4]]),
  };
  const reader = await follow([controls], { facts }, () => [{ topic: controls.name, partition: 0, next_offset: at }]);
  try {
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(reader.comparedAgo()[controls.name]).toBeNull();
    at = 5;
    await reader.caughtUp();
  } finally {
    await reader.stop();
  }
});

test('a topic whose end nobody says stays uncompared, and holds up no other', async () => {
  const facts = {
    offsets: async (topics: readonly string[]): Promise<ReadonlyMap<string, number>> => {
      if (topics.includes(consents.name)) throw new Error('not permitted');
      return new Map();
    },
  };
  const admin = {
    fetchTopicOffsets: async (topic: string) => {
      if (topic === consents.name) throw new Error('not permitted');
      return [{ partition: 0, offset: '5', low: '0', high: '5' }];
    },
  };
  // The start compares all topics, so the right is lost after it.
  let lost = false;
  const later = await follow(
    [controls, consents],
    {
      facts,
      admin: {
        fetchTopicOffsets: async (topic) => (lost ? admin.fetchTopicOffsets(topic) : []),
      },
    },
    () => [{ topic: controls.name, partition: 0, next_offset: 5 }],
  );
  lost = true;
  try {
    await vi.waitUntil(() => later.comparedAgo()[controls.name] !== null);
    const first = later.comparedAgo()[controls.name];
    const standing = later.comparedAgo()[consents.name];
    await vi.waitUntil(() => later.comparedAgo()[controls.name] !== first);
    expect(later.comparedAgo()[consents.name]).toBe(standing);
  } finally {
    await later.stop();
  }
});

test('an open topic whose beginning nobody says stays uncompared, and holds up no other', async () => {
  let end = 5;
  let isLost = false;
  const facts = {
    offsets: async (topics: readonly string[], which: unknown): Promise<ReadonlyMap<string, number>> => {
      if (isLost && topics.includes(consents.name)) throw new Error('no leader');
      return new Map(topics.map((topic) => [`${topic}/0`, which === 'end' ? end : 0]));
    },
  };
  const admin = {
    fetchTopicOffsets: async (topic: string) => {
      if (isLost && topic === consents.name) throw new Error('no leader');
      return [{ partition: 0, offset: `${end}`, low: '0', high: `${end}` }];
    },
  };
  let read = 5;
  const reader = await follow([controls, consents], { facts, admin }, () => [
    { topic: controls.name, partition: 0, next_offset: end },
    { topic: consents.name, partition: 0, next_offset: read },
  ]);
  try {
    await reader.caughtUp();
    // Behind when its leader is lost: its end was seen and cannot be reached.
    end = 9;
    read = 7;
    await new Promise((resolve) => setTimeout(resolve, 200));
    isLost = true;
    const standing = reader.comparedAgo()[consents.name];
    const first = reader.comparedAgo()[controls.name];
    await vi.waitUntil(() => reader.comparedAgo()[controls.name] !== first);
    expect(reader.comparedAgo()[consents.name]).toBe(standing);
  } finally {
    await reader.stop();
  }
});
