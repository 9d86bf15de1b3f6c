import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * Prevents kafkajs 2.2.4 from looking for waiting requests when there are none. After its first answer, each connection sets a
 * timer whose time is past. The timer fires at once, looks, and sets the next one: a thousand times a second on every connection,
 * about half of what an idle service used. A request that has to wait sets the timer itself, so nothing else depends on it.
 */
export function quietQueue(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
    readonly prototype: RequestQueue;
  };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
