import { createRequire } from 'node:module';
import { afterAll, expect, test } from 'vitest';
import { quietQueue } from './quiet-queue.js';

interface Queue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  scheduleCheckPendingRequests(): void;
}

const require = createRequire(import.meta.url);
const file = require.resolve('kafkajs/src/network/requestQueue/index.js');
const shared = require.cache[file];
// A copy of its own: another file of this process may have quieted the one that kafkajs uses.
delete require.cache[file];
const RequestQueue = require(file) as { prototype: Queue };
afterAll(() => {
  if (shared) require.cache[file] = shared;
  else delete require.cache[file];
});
const queueWith = (pending: unknown[], throttledUntil: number): Queue =>
  Object.assign(Object.create(RequestQueue.prototype) as Queue, {
    pending,
    throttledUntil,
    throttleCheckTimeoutId: null,
  });

test('a connection of kafkajs looks again where a request waits, and only there', () => {
  const before = queueWith([], -1);
  before.scheduleCheckPendingRequests();
  // What it does without us; where a new version of kafkajs no longer does it, ours can go.
  expect(before.throttleCheckTimeoutId).not.toBeNull();
  clearTimeout(before.throttleCheckTimeoutId ?? undefined);

  quietQueue();
  const idle = queueWith([], -1);
  idle.scheduleCheckPendingRequests();
  expect(idle.throttleCheckTimeoutId).toBeNull();
  for (const until of [-1, Date.now() + 60_000]) {
    const waiting = queueWith([{}], until);
    waiting.scheduleCheckPendingRequests();
    expect(waiting.throttleCheckTimeoutId).not.toBeNull();
    clearTimeout(waiting.throttleCheckTimeoutId ?? undefined);
  }
});
