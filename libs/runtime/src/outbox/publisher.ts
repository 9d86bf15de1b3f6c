import { deniedBy, type Producer } from '@countersign/kafka';
import { moment, sent } from '@countersign/telemetry';
import { describe } from '../failures.js';
import type { Outgoing } from './outgoing.js';

/** Publishes messages in order; resolves when the broker has acknowledged all (acks=all). */
export type Publish = (messages: readonly Outgoing[]) => Promise<void>;

/** Splits messages into requests under the byte limit, in their order. */
export function requests(messages: readonly Outgoing[], maxBytes: number): Outgoing[][] {
  const cut: Outgoing[][] = [];
  let bytes = 0;
  for (const output of messages) {
    // The record format adds less than 100 bytes.
    const size = output.bytes + 100;
    const last = cut.at(-1);
    if (!last || bytes + size > maxBytes) {
      cut.push([output]);
      bytes = size;
    } else {
      last.push(output);
      bytes += size;
    }
  }
  return cut;
}

/**
 * A `Publish` over a kafkajs producer. `onTaken` gets the time at which the broker says that it took the messages (milliseconds
 * since 1970), and the time at which they were sent (`performance.now()`).
 */
export const publishWith =
  (producer: Producer, maxBytes: number, onTaken?: (time: number, asked: number) => void): Publish =>
  async (messages) => {
    for (const request of requests(messages, maxBytes)) {
      const byTopic = new Map<string, { key: string; value: string; headers: Readonly<Record<string, string>> }[]>();
      for (const { topic, key, value, headers } of request) {
        const list = byTopic.get(topic) ?? [];
        byTopic.set(topic, list);
        list.push({ key, value, headers });
      }
      const began = moment();
      const report = (failure?: string): void => {
        for (const [topic, messages] of byTopic)
          sent({
            topic,
            began,
            count: messages.length,
            contexts: () => messages.map((m) => m.headers.traceparent),
            failure,
          });
      };
      try {
        const asked = performance.now();
        const taken = await producer.sendBatch({
          acks: -1,
          topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
        });
        // -1 if the topic uses the writer's time.
        const time = Math.max(...taken.map(({ logAppendTime }) => Number(logAppendTime ?? -1)));
        if (time > 0) onTaken?.(time, asked);
      } catch (error) {
        report(describe(error).code);
        // The broker does not say which topic.
        if (deniedBy(error) === 'topic')
          throw new Error(`no right to write ${[...byTopic.keys()].join(' or ')}`, { cause: error });
        throw error;
      }
      report();
    }
  };
