import { expect, test } from 'vitest';
import { atMost, TooLong, wholeBody, wholeText } from './bounded.js';

let left: boolean;
let given: number;

async function* chunks(count: number): AsyncGenerator<Uint8Array> {
  left = false;
  given = 0;
  try {
    for (; given < count; given++) yield Buffer.alloc(10, given);
  } finally {
    left = true;
  }
}

test('a body of as many bytes as it may have is read whole', async () => {
  expect(await wholeBody(chunks(3), 30)).toEqual(Buffer.concat([0, 1, 2].map((n) => Buffer.alloc(10, n))));
  expect(await wholeBody(null, 30)).toEqual(Buffer.alloc(0));
});

test('a body that is longer, or without an end, is left at the first chunk that is too much', async () => {
  await expect(wholeBody(chunks(Number.POSITIVE_INFINITY), 29)).rejects.toThrow(TooLong);
  expect([given, left]).toEqual([2, true]);
});

test('a text is read as it is, or not at all', async () => {
  const halves = async function* (text: Uint8Array) {
    yield text.subarray(0, 1);
    yield text.subarray(1);
  };
  expect(await wholeText(halves(Buffer.from('é')), 2)).toBe('é');
  await expect(wholeText(halves(Buffer.from('é', 'latin1')), 2)).rejects.toThrow('byte 0');
  await expect(wholeText(halves(Buffer.from('é')), 1)).rejects.toThrow(TooLong);
});

test('a body whose reader stops early is left', async () => {
  for await (const _ of atMost(chunks(3), 30)) break;
  expect([given, left]).toEqual([0, true]);
});
