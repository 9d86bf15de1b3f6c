import { fromKafka } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { eventBytes, eventOf, markOf, messageOf } from './event.js';

test('an event has 1 kB of data, whatever its number', () => {
  for (const n of [0, 7, 12_345, 999_999])
    expect(Buffer.byteLength(JSON.stringify(eventOf('rate', n).data))).toBe(eventBytes);
});

test('a message is an event that the project itself reads, and no two have one id', () => {
  const ids = [0, 1].flatMap((n) =>
    ['rate', 'paced'].map((phase) => {
      const { key, value, headers } = messageOf({ phase, n, due: 1 });
      const read = fromKafka({ key: key ?? null, value, headers: headers as Record<string, string> });
      return read.ok ? read.event.id : read.fault;
    }),
  );
  expect(ids.every((id) => typeof id === 'string')).toBe(true);
  expect(new Set(ids).size).toBe(4);
});

test('the mark of a message is read back to the microsecond', () => {
  const mark = { phase: 'at200', n: 41, due: 9_876_543.210_123 };
  const { headers } = messageOf(mark);
  expect(markOf({ headers: headers as Record<string, string> })).toEqual(mark);
  expect(() => markOf({ headers: {} })).toThrow('without a mark');
});
