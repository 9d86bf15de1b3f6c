import { expect, test } from 'vitest';
import { outgoing } from './outgoing.js';
import { requests } from './publisher.js';

const output = (value: string, key = 'k') => outgoing({ topic: 't', key, headers: {}, value });

test('outputs keep their order through every cut', () => {
  const messages = Array.from({ length: 20 }, (_, n) => output('x'.repeat(n * 30), String(n)));
  const cut = requests(messages, 1_000);
  expect(cut.length).toBeGreaterThan(1);
  expect(cut.flat()).toEqual(messages);
});

test('no request is larger than allowed, in bytes and not in characters', () => {
  const wide = Array.from({ length: 10 }, () => output('\u6f22'.repeat(100)));
  for (const request of requests(wide, 1_000)) {
    expect(request.reduce((sum, message) => sum + message.bytes, 0)).toBeLessThanOrEqual(1_000);
  }
});

test('an output that is larger than a request goes alone', () => {
  const cut = requests([output('a'), output('x'.repeat(5_000)), output('b')], 1_000);
  expect(cut.map((request) => request.length)).toEqual([1, 1, 1]);
});

test('nothing to publish is no request', () => {
  expect(requests([], 1_000)).toEqual([]);
});
