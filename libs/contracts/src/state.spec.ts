import { expect, test } from 'vitest';
import { sourceOf, toBinary } from './envelope.js';
import { readEvent } from './read.js';
import { highestVersionAt } from './state.js';
import { topicNamed, topology } from './topology.js';

const taken = Date.parse('2026-11-21T10:00:00.000Z');
const changedAt = '2026-11-21T10:00:00.000Z';
const consents = topicNamed('consents.v1', topology());
const read = (version: number, timestamp?: string) => {
  const contactId = '5b0e7c5a-51c4-5b3a-8a4e-4c8e2f6f7a10';
  const data = { contactId, version, changedAt, entries: [], suppressions: [] };
  const event = { id: 'e', source: sourceOf('signal-ingestion'), type: 'ConsentsChanged', time: changedAt, data };
  return readEvent(consents, { key: contactId, ...toBinary(event), ...(timestamp !== undefined && { timestamp }) });
};

test.each([1, 2 ** 48, highestVersionAt(taken)])('version %d can be reached by the time of its record', (version) => {
  expect(read(version, String(taken))).toMatchObject({ ok: true });
});

test.each([highestVersionAt(taken) + 1, Number.MAX_SAFE_INTEGER])(
  'version %d is no state, and a millisecond later there is room above the highest that was one',
  (version) => {
    const fault = { code: 'version-ahead', field: 'data.version' };
    expect(read(version, String(taken))).toMatchObject({ ok: false, fault });
    expect(read(highestVersionAt(taken) + 1, String(taken + 1))).toMatchObject({ ok: true });
  },
);

test.each([0, -1, 1.5, Number.MAX_SAFE_INTEGER + 1])('%d is no version at any time', (version) => {
  expect(read(version)).toMatchObject({ ok: false, fault: { code: 'contract' } });
});
