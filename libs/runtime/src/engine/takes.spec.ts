import { topicNamed, topology } from '@countersign/contracts';
import { expect, test } from 'vitest';
import type { Slice } from '../inbox/inbox.js';
import type { RawRecord } from '../kafka/entries.js';
import { takesToHandle } from './takes.js';

const names = ['actions.refused.v1', 'actions.approved.v1', 'controls.v1'];
const record = (partition: number, offset: string): RawRecord => ({
  ...{ partition, offset, key: null, value: null, headers: {} },
});

/** Takes of three topics, of which two share their batches; `turns` are the topics of each transaction. */
function takes(fail: (slices: readonly Slice[]) => boolean = () => false) {
  const turns: string[][] = [];
  const handled: string[] = [];
  const handle = async () => undefined;
  const inbox = {
    entries: (topic: { readonly name: string }, records: readonly RawRecord[]) =>
      records.map((read) => ({ record: read, sha: '', source: topic.name, id: read.offset }) as never),
    processTogether: async (slices: readonly Slice[]) => {
      turns.push(slices.map(({ topic }) => topic.name));
      if (fail(slices)) throw new Error('of its own');
      for (const { topic, entries } of slices)
        for (const entry of entries) handled.push(`${topic.name}/${entry.record.partition}/${entry.record.offset}`);
      return { fresh: 0, redelivered: 0, duplicate: 0, dead: 0 };
    },
  };
  const all = takesToHandle(new Map(names.map((name) => [name, handle])), {
    topics: names.map((name) => topicNamed(name, topology())),
    inbox,
    waits: undefined,
    limits: { batchEvents: 10 },
    shares: new Set(names.slice(0, 2)),
  });
  const take = (name: string, records: readonly RawRecord[]) => all.get(name)?.(records);
  return { take, turns, handled };
}

test('topics that share their batches are handled in one transaction where they arrive together, in one order; others by themselves', async () => {
  const { take, turns, handled } = takes();
  await Promise.all([
    take('actions.refused.v1', [record(0, '1'), record(0, '2')]),
    take('controls.v1', [record(0, '1')]),
    take('actions.approved.v1', [record(3, '7')]),
    take('actions.refused.v1', [record(1, '9')]),
  ]);
  expect(turns.toSorted()).toEqual([['actions.approved.v1', 'actions.refused.v1'], ['controls.v1']]);
  expect(handled.filter((place) => place.startsWith('actions.refused'))).toEqual([
    'actions.refused.v1/0/1',
    'actions.refused.v1/0/2',
    'actions.refused.v1/1/9',
  ]);
});

test('a topic that fails fails alone: the others that came with it are handled', async () => {
  const { take, handled } = takes((slices) => slices.some(({ topic }) => topic.name === 'actions.refused.v1'));
  const [refused, approved] = await Promise.allSettled([
    take('actions.refused.v1', [record(0, '1')]),
    take('actions.approved.v1', [record(0, '1')]),
  ]);
  expect([refused?.status, approved?.status]).toEqual(['rejected', 'fulfilled']);
  expect(handled).toEqual(['actions.approved.v1/0/1']);
});
