import { toBinary, topicNamed, topology } from '@countersign/contracts';
import type { Admin, Kafka } from '@countersign/kafka';
import { expect, test, vi } from 'vitest';
import { defaults } from '../api/limits.js';
import type { Database } from '../database/database.js';
import type { TopicWatch } from '../kafka/topic-watch.js';
import { isBehind } from './own-state.js';
import { followState, isReached, staleIn } from './state.js';

const controls = topicNamed('controls.v1', topology());
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

test('tables that are always a little behind a topic that never rests are compared with where it ended a little ago', async () => {
  let end = 10;
  // The tables are where the topic was two looks ago.
  const db = {
    read: async () => [{ topic: controls.name, partition: 0, next_offset: end - 20 }],
  } as unknown as Database;
  const admin = {
    fetchTopicOffsets: async () => {
      end += 10;
      return [{ partition: 0, low: '0', high: String(end) }];
    },
  } as unknown as Admin;
  const consumer = {
    events: {},
    on: () => undefined,
    connect: async () => undefined,
    subscribe: async () => undefined,
  };
  const kafka = {
    consumer: () => ({ ...consumer, run: async () => undefined, disconnect: async () => undefined }),
  } as unknown as Kafka;
  const log = { log: () => undefined, warn: () => undefined, error: () => undefined };
  const now = (): string => '2026-11-21T10:00:00.000Z';
  const limits = { ...defaults, compareEveryMs: 1 };
  const watch = { add: () => undefined, unreadable: () => new Set() } as unknown as TopicWatch;
  const reader = await followState({
    kafka,
    admin,
    db,
    service: 's',
    topics: [controls],
    lookedUp: new Map(),
    limits,
    now,
    log,
    watch,
  });
  try {
    await reader.caughtUp();
    const first = reader.comparedAgo()[controls.name];
    await vi.waitUntil(() => reader.comparedAgo()[controls.name] !== first);
  } finally {
    await reader.stop();
  }
});
