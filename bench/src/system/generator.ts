import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { KafkaLogin } from './children.js';
import type { BenchPlay } from './settings.js';
import { engaged, inboundTopic, known } from './signals.js';

/*
 * The load, a process of its own: what it does slows down nobody's clock but its own. Signals go straight to the inbound topic,
 * as the source's own principal writes them.
 */

/** What the generator is asked for; it answers when the last signal has been taken by every replica. */
export type GeneratorOrder =
  | { readonly do: 'connect'; readonly kafka: KafkaLogin }
  /** People become known, as fast as the broker takes them. */
  | { readonly do: 'know'; readonly from: number; readonly to: number }
  /** Signals at fixed times, whatever becomes of those before: answers with the time that the first was meant for. */
  | {
      readonly do: 'pace';
      readonly play: BenchPlay;
      readonly from: number;
      readonly to: number;
      readonly perSecond: number;
    }
  /** As many signals as are let in flight, see `credit`: answers with the time of the first. */
  | {
      readonly do: 'saturate';
      readonly play: BenchPlay;
      readonly from: number;
      readonly to: number;
      readonly inFlight: number;
    }
  /** Ends a pace before its last signal. */
  | { readonly do: 'halt' };
/** So many signals of the saturating load have come to their end. */
export interface Credit {
  readonly ended: number;
}
export interface Sent {
  /** Milliseconds since 1970 for which the first signal was meant. */
  readonly startedAt: number;
  readonly sent: number;
}

const now = (): number => performance.timeOrigin + performance.now();

let producer: kafkajs.Producer | undefined;
let ended = 0;
let halted = false;

async function send(messages: kafkajs.Message[]): Promise<void> {
  if (messages.length > 0) await producer?.send({ topic: inboundTopic, acks: -1, messages });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

async function follow(order: GeneratorOrder): Promise<Sent> {
  const startedAt = now();
  switch (order.do) {
    case 'connect': {
      const kafka = new kafkajs.Kafka({
        clientId: 'bench-load',
        ...order.kafka,
        logLevel: kafkajs.logLevel.NOTHING,
      });
      producer = kafka.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 5 });
      await producer.connect();
      return { startedAt, sent: 0 };
    }
    case 'know': {
      for (let n = order.from; n < order.to; n += 500) await send(range(n, Math.min(order.to, n + 500)).map(known));
      return { startedAt, sent: order.to - order.from };
    }
    case 'pace':
      return pace(order, startedAt);
    case 'saturate':
      return saturate(order, startedAt);
    case 'halt':
      halted = true;
      return { startedAt, sent: 0 };
  }
}

/** Nothing waits for what was sent before: a slow broker makes the requests larger, and no signal later than it was meant. */
async function pace(order: GeneratorOrder & { do: 'pace' }, startedAt: number): Promise<Sent> {
  halted = false;
  const { play, from, to, perSecond } = order;
  const sending: Promise<void>[] = [];
  let next = from;
  while (next < to && !halted) {
    const due = Math.min(to, from + Math.floor(((now() - startedAt) * perSecond) / 1000) + 1);
    if (due > next) sending.push(send(range(next, due).map((n) => engaged(play, n))));
    next = Math.max(next, due);
    await sleep(Math.max(1, startedAt + ((next - from) * 1000) / perSecond - now()));
  }
  await Promise.all(sending);
  return { startedAt, sent: next - from };
}

async function saturate(order: GeneratorOrder & { do: 'saturate' }, startedAt: number): Promise<Sent> {
  const { play, from, to, inFlight } = order;
  const base = ended;
  for (let next = from; next < to; ) {
    const allowed = Math.min(to, from + inFlight + ended - base, next + 500);
    if (allowed > next) {
      await send(range(next, allowed).map((n) => engaged(play, n)));
      next = allowed;
    } else await sleep(5);
  }
  return { startedAt, sent: to - from };
}

process.on('message', (message: { id: number; order: GeneratorOrder } | Credit) => {
  if ('ended' in message) {
    ended = message.ended;
    return;
  }
  follow(message.order).then(
    (result) => process.send?.({ id: message.id, result }),
    (error: Error) => process.send?.({ id: message.id, error: error.message }),
  );
});
process.on('disconnect', () => process.exit());
