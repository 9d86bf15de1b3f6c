import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from '@countersign/kafka';
import type { KafkaAccess } from '@countersign/testing';
import { now } from '../floors/event.js';
import { kafkaOf, producerOf } from '../kafka.js';
import { serve } from '../worker.js';
import type { BenchPlay } from './settings.js';
import type { SignalRecord } from './signals.js';

/*
 * The load, in a process of its own, so that its work slows down no other clock. Signals go directly to the inbound topic, as the
 * source's own principal writes them.
 */

/** Signals of these people, from and not including to. */
export interface Crowd {
  readonly play: BenchPlay;
  readonly from: number;
  readonly to: number;
}
export interface Sent {
  /** When the first signal should have been sent, in milliseconds of the clock that all processes share. */
  readonly startedAt: number;
  readonly sent: number;
}

let producer: Producer;
let signals: typeof import('./signals.js');
let ended = 0;
let halted = false;

/** As a good upstream does: until the broker has taken them. A signal that arrives twice has the same id both times. */
async function insist(messages: readonly SignalRecord[]): Promise<void> {
  for (;;) {
    try {
      return await send(messages);
    } catch {
      await sleep(200);
    }
  }
}

async function send(messages: readonly SignalRecord[]): Promise<void> {
  if (messages.length > 0) await producer.send({ topic: signals.inboundTopic, acks: -1, messages: [...messages] });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

const calls = {
  /** `signals` is the file of the signals that the build under measurement understands. */
  async connect({ access, signals: file }: { readonly access: KafkaAccess; readonly signals: string }): Promise<void> {
    signals = await import(file);
    producer = await producerOf(kafkaOf(access));
  },

  /** People become known, as fast as the broker takes them. */
  async know({ from, to }: { readonly from: number; readonly to: number }): Promise<void> {
    for (let n = from; n < to; n += 500) await send(range(n, Math.min(to, n + 500)).map(signals.known));
  },

  pace,
  saturate,

  /** This many signals of a saturating load have ended. */
  credit(count: number): void {
    ended = count;
  },

  /** Ends a load before its last signal. */
  halt(): void {
    halted = true;
  },
};

/** At which pace signals are sent. */
export interface Pace {
  readonly perSecond: number;
  /** When the first one is due; absent: now. */
  readonly startAt?: number;
  /** Whether the broker may be away: then signals are sent again until it has taken them. */
  readonly brokerMayFail?: boolean;
}

/** Signals at fixed times, whatever happens to earlier ones. A slow broker makes the requests larger, but no signal later than planned. */
async function pace({ play, from, to, perSecond, startAt, brokerMayFail }: Crowd & Pace): Promise<Sent> {
  halted = false;
  const startedAt = startAt ?? now();
  const deliver = brokerMayFail ? insist : send;
  const sending: Promise<void>[] = [];
  let next = from;
  while (next < to && !halted) {
    const due = Math.min(to, from + Math.floor(((now() - startedAt) * perSecond) / 1000) + 1);
    if (due > next) sending.push(deliver(range(next, due).map((n) => signals.engaged(play, n))));
    next = Math.max(next, due);
    await sleep(Math.max(1, startedAt + ((next - from) * 1000) / perSecond - now()));
  }
  await Promise.all(sending);
  return { startedAt, sent: next - from };
}

/** As many signals as may be in flight, see `credit`. */
async function saturate({ play, from, to, inFlight }: Crowd & { readonly inFlight: number }): Promise<Sent> {
  halted = false;
  const startedAt = now();
  const base = ended;
  for (let next = from; next < to && !halted; ) {
    const allowed = Math.min(to, from + inFlight + ended - base, next + 500);
    if (allowed > next) {
      await send(range(next, allowed).map((n) => signals.engaged(play, n)));
      next = allowed;
    } else await sleep(5);
  }
  return { startedAt, sent: to - from };
}

export type Generator = typeof calls;
serve(calls);
