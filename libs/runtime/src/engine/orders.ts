import type { Topic } from '@countersign/contracts';
import type { Batch } from '../api/runtime.js';
import type { Handle } from '../inbox/inbox.js';
import { replay } from '../inbox/replays.js';
import { acknowledge, gapsAcknowledged } from '../kafka/gaps.js';
import type { Log } from './log.js';

/**
 * Adds the runtime's own handlers for orders that people give to every service: to replay, to close a gap. The runtime's handlers
 * run first.
 */
export function withOrders(
  handlers: ReadonlyMap<string, Handle>,
  { service, topics, log }: { readonly service: string; readonly topics: readonly Topic[]; readonly log: Log },
): ReadonlyMap<string, Handle> {
  const orders: Record<string, Handle> = {
    'dead-letters.replayed.v1': (batch) => replay(batch, service, topics, handlers, log),
    [gapsAcknowledged]: async (batch) => {
      const { events } = batch as Batch<'GapAcknowledged'>;
      await acknowledge(
        batch,
        service,
        events.map(({ event }) => ({ event, data: event.data })),
        log,
      );
    },
  };
  const all = new Map(handlers);
  for (const [topic, order] of Object.entries(orders))
    all.set(topic, async (batch) => {
      await order(batch);
      await handlers.get(topic)?.(batch);
    });
  return all;
}
