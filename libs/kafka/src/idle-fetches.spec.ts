import { createRequire } from 'node:module';
import { afterAll, expect, test } from 'vitest';
import { endFetches, idleFetches } from './idle-fetches.js';

interface Fetched {
  readonly partition: number;
}
interface Group {
  groupId: string;
  maxWaitTime: number;
  fetch(nodeId: number): Promise<readonly Fetched[]>;
}

const require = createRequire(import.meta.url);
const file = require.resolve('kafkajs/src/consumer/consumerGroup.js');
const shared = require.cache[file];
// A copy of its own: another file of this process may have changed the one that kafkajs uses.
delete require.cache[file];
const ConsumerGroup = require(file) as { prototype: Group };
afterAll(() => {
  if (shared) require.cache[file] = shared;
  else delete require.cache[file];
});

const message = (offset: string) => ({ offset, key: null, value: null });
const partitions = [
  { partition: 0, highWatermark: '7', messages: [] },
  { partition: 1, highWatermark: '3', messages: [message('2')] },
  { partition: 2, highWatermark: '1', messages: [{ ...message('0'), isControlRecord: true }] },
];

/** kafkajs' own consumer group over a broker whose answer is given; what it asked the broker for. */
function groupOf(groupId: string, { paused = [] as number[], answer = async () => partitions as unknown }) {
  const asked: { maxWaitTime: number }[] = [];
  const assigned = [{ topic: 't', partitions: [0, 1, 2] }];
  const group = Object.assign(Object.create(ConsumerGroup.prototype) as Group, {
    groupId,
    maxWaitTime: 2_000,
    preferredReadReplicasPerTopicPartition: {},
    seekOffset: { has: () => false, size: 0 },
    subscriptionState: {
      assigned: () => assigned,
      active: () => assigned,
      paused: () => (paused.length > 0 ? [{ topic: 't', partitions: paused }] : []),
      isPaused: () => false,
    },
    offsetManager: { committedOffsets: () => ({ t: { 0: '0', 1: '0', 2: '0' } }), nextOffset: () => '0' },
    cluster: {
      refreshMetadataIfNecessary: async () => undefined,
      findTopicPartitionMetadata: () => [],
      findBroker: async () => ({
        fetch: async (request: { maxWaitTime: number }) => {
          asked.push(request);
          return { responses: [{ topicName: 't', partitions: await answer() }] };
        },
      }),
    },
    checkForStaleAssignment: () => undefined,
    filterPartitionsByNode: (_node: number, all: unknown) => all,
    seekOffsets: async () => undefined,
  });
  return { group, asked };
}
const fetched = async (group: Group) => (await group.fetch(1)).map(({ partition }) => partition);

test('a fetch gives kafkajs only the partitions that have a record, a marker included', async () => {
  // What it does without us. If a new version of kafkajs no longer does it, ours can go.
  expect(await fetched(groupOf('before', {}).group)).toEqual([0, 1, 2]);
  idleFetches();
  idleFetches();
  expect(await fetched(groupOf('after', {}).group)).toEqual([1, 2]);
});

test('a fetch waits long for news, but only shortly while a partition is paused, and long again afterwards', async () => {
  idleFetches();
  const paused: number[] = [];
  const { group, asked } = groupOf('patient', { paused });
  await group.fetch(1);
  paused.push(2);
  await group.fetch(1);
  paused.pop();
  await group.fetch(1);
  expect(asked.map(({ maxWaitTime }) => maxWaitTime)).toEqual([2_000, 250, 2_000]);
});

test('a group that stops does not wait for the answer of its fetch; other groups do', async () => {
  idleFetches();
  const never = async (): Promise<unknown> => new Promise(() => undefined);
  const [stopping, running] = [groupOf('one', { answer: never }), groupOf('other', { answer: never })];
  const ends = [fetched(stopping.group), fetched(stopping.group)];
  let goesOn = true;
  void fetched(running.group).then(() => {
    goesOn = false;
  });
  await new Promise((resolve) => setImmediate(resolve));
  endFetches('one');
  expect(await Promise.all(ends)).toEqual([[], []]);
  expect(goesOn).toBe(true);
  endFetches('nobody');
});

test('an answer that fails after the end of its fetch is nobody’s failure', async () => {
  idleFetches();
  let fail = (_error: Error): void => undefined;
  const answer = () =>
    new Promise<unknown>((_, reject) => {
      fail = reject;
    });
  const { group } = groupOf('late', { answer });
  const fetching = fetched(group);
  await new Promise((resolve) => setImmediate(resolve));
  endFetches('late');
  expect(await fetching).toEqual([]);
  fail(new Error('the connection was closed'));
  await new Promise((resolve) => setImmediate(resolve));
});
