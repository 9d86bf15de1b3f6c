import type { KafkaAccess } from '@countersign/testing';
import { kafkaOf, producerOf, type Reading, read } from '../kafka.js';
import { serve } from '../worker.js';

let reading: Reading;

const calls = {
  /** Consume, parse, write as text again, produce: the least work of a service on Kafka. */
  async run({ access, from, to }: { readonly access: KafkaAccess; readonly from: string; readonly to: string }) {
    const kafka = kafkaOf(access);
    const producer = await producerOf(kafka);
    reading = await read({
      kafka,
      topic: from,
      group: `hop-${from}`,
      async handle(received) {
        const messages = received.map(({ key, value, headers }) => ({
          key,
          value: JSON.stringify(JSON.parse(String(value))),
          ...(headers && { headers }),
        }));
        await producer.send({ topic: to, acks: -1, messages });
      },
    });
  },
  pause: (_: null): void => reading.pause(),
  resume: (_: null): void => reading.resume(),
};

export type Hop = typeof calls;
serve(calls);
