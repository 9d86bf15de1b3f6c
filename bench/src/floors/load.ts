import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from '@countersign/kafka';
import type { KafkaAccess } from '@countersign/testing';
import { kafkaOf, producerOf, together } from '../kafka.js';
import { serve } from '../worker.js';
import { messageOf, now } from './event.js';

let producer: Producer;
let topic: string;

const send = async (phase: string, dues: readonly number[], from: number): Promise<void> => {
  const messages = dues.map((due, n) => messageOf({ phase, n: from + n, due }));
  await producer.send({ topic, acks: -1, messages });
};

const calls = {
  async connect(to: { readonly access: KafkaAccess; readonly topic: string }): Promise<void> {
    producer = await producerOf(kafkaOf(to.access));
    topic = to.topic;
  },

  /** All at once, as fast as the broker takes them. */
  async backlog({ phase, count }: { readonly phase: string; readonly count: number }): Promise<void> {
    const open = new Set<Promise<void>>();
    for (let from = 0; from < count; from += together) {
      const size = Math.min(together, count - from);
      const sending = send(phase, Array(size).fill(now()), from).finally(() => open.delete(sending));
      open.add(sending);
      if (open.size >= 5) await Promise.race(open);
    }
    await Promise.all(open);
  },

  /**
   * One after the other at their times, whatever happened to the earlier ones. Returns how late the last one was handed to the
   * client, so that a load which could not be produced is not taken for one that was.
   */
  async paced(load: { readonly phase: string; readonly rate: number; readonly seconds: number }): Promise<number> {
    const count = load.rate * load.seconds;
    const begin = now() + 100;
    const dueOf = (n: number): number => begin + (n * 1_000) / load.rate;
    const open: Promise<void>[] = [];
    let late = 0;
    for (let next = 0; next < count; ) {
      const dues: number[] = [];
      while (next + dues.length < count && dueOf(next + dues.length) <= now()) dues.push(dueOf(next + dues.length));
      if (dues.length > 0) {
        late = now() - (dues[0] ?? 0);
        open.push(send(load.phase, dues, next));
        next += dues.length;
      }
      await sleep(Math.max(0, dueOf(next) - now()));
    }
    await Promise.all(open);
    return late;
  },
};

export type Load = typeof calls;
serve(calls);
