import { expect, test } from 'vitest';
import { parseExact } from './canonical.js';
import { maxDepth, parseJson, TooDeep } from './depth.js';
import { fromKafka, fromStructured, toBinary } from './envelope.js';
import { readEvent } from './read.js';
import { topicNamed, topology } from './topology.js';

const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const objects = (depth: number): string => '{"a":'.repeat(depth) + 1 + '}'.repeat(depth);
const attributes = { specversion: '1.0', id: 'e-1', source: '/sources/x', type: 'PageViewed' };
const event = { ...attributes, time: '2026-11-21T10:00:00.000Z' };
const { headers } = toBinary({ ...event, data: null });

test.each([lists, objects])('JSON is read to a bounded depth, exactly or not', (nested) => {
  for (const parse of [parseJson, parseExact]) {
    expect(parse(nested(maxDepth))).toEqual(JSON.parse(nested(maxDepth)));
    expect(() => parse(nested(maxDepth + 1))).toThrow(TooDeep);
    expect(() => parse(nested(150_000))).toThrow(TooDeep);
  }
});

test('brackets side by side, or in a string, are no depth', () => {
  const wide = `[${Array.from({ length: 500 }, () => '[{"a":[]}]').join(',')}]`;
  const quoted = JSON.stringify({ text: `${'['.repeat(500)}\\"${'{'.repeat(500)}"\\` });
  for (const text of [wide, quoted]) expect(parseJson(text)).toEqual(JSON.parse(text));
});

test('what is no JSON is told as that, however many brackets it has', () => {
  for (const text of ['"'.repeat(301), `${'[]'.repeat(200)}"\\`, `"${'['.repeat(300)}`])
    expect(() => parseJson(text)).toThrow(SyntaxError);
});

test.each([
  ['binary mode', fromKafka({ key: null, headers, value: lists(150_000) })],
  [
    'structured mode',
    fromKafka({
      key: null,
      headers: { 'content-type': 'application/cloudevents+json' },
      value: `${JSON.stringify(event).slice(0, -1)},"data":${objects(100_000)}}`,
    }),
  ],
  ['base64 within', fromStructured({ ...event, data_base64: Buffer.from(lists(100_000)).toString('base64') })],
])('an event that nests too deep is told as that: %s', (_mode, read) => {
  expect(read).toMatchObject({ ok: false, fault: { code: 'too-deep', detail: expect.stringContaining('100') } });
});

test('a record of any topic that nests too deep is a fault, never a stack that overflows', () => {
  const topics = topology();
  for (const { name, source, types } of topics) {
    const type = types[0] ?? 'PageViewed';
    const record = { key: null, headers: toBinary({ ...event, source, type, data: null }).headers };
    const value = `{"action":{"payload":${objects(100_000)}},"data":${lists(50_000)}}`;
    const read = readEvent(topicNamed(name, topics), { ...record, value });
    expect(read, name).toMatchObject({ ok: false, fault: { code: 'too-deep' } });
  }
});
