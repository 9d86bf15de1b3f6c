import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { quietQueue } from './quiet-queue.js';

interface Queue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  scheduleCheckPendingRequests(): void;
}

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
  prototype: Queue;
};
const queueWith = (pending: unknown[], throttledUntil: number): Queue =>
  Object.assign(Object.create(RequestQueue.prototype) as Queue, {
    pending,
    throttledUntil,
    throttleCheckTimeoutId: null,
  });

test('a connection of kafkajs looks again where a request waits, and only there', () => {
  const original = RequestQueue.prototype.scheduleCheckPendingRequests;
  try {
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
  } finally {
    RequestQueue.prototype.scheduleCheckPendingRequests = original;
  }
});
