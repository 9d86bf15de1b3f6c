import { topicConfig, topicNamed, topology } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { differences } from './topic-settings.js';

const inbound = topicNamed('signals.inbound.upstream.v1', topology());
const found = (more: Record<string, string | undefined> = {}) =>
  new Map([
    [
      inbound.name,
      new Map(
        Object.entries({ ...topicConfig(inbound), ...more }).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value] as const],
        ),
      ),
    ],
  ]);

test('a topic that is set as the topology asks differs in nothing; longer retention, or none, does no harm', () => {
  expect(differences([inbound], found())).toEqual([]);
  expect(differences([inbound], found({ 'retention.ms': '99999999999' }))).toEqual([]);
  expect(differences([inbound], found({ 'retention.ms': '-1' }))).toEqual([]);
});

test.each([
  ['message.timestamp.type', 'CreateTime'],
  ['message.timestamp.type', undefined],
  ['compression.type', 'uncompressed'],
  ['cleanup.policy', 'compact'],
  ['cleanup.policy', 'compact,delete'],
  ['retention.ms', '86400000'],
])('a topic whose %s is %s is told of', (setting, actual) => {
  expect(differences([inbound], found({ [setting]: actual }))).toEqual([
    { topic: inbound.name, setting, is: actual, wanted: topicConfig(inbound)[setting] },
  ]);
});
