import type { Kafka } from '@countersign/kafka';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaults } from '../api/limits.js';
import { consume } from './consumer.js';
import type { ConsumerOptions, Held } from './consumer-options.js';

/* kafkajs is played here: what it calls, in an order that a broker gives only rarely. */

type Listener = (event: { payload: Record<string, unknown> }) => void;
type EachBatch = (payload: Record<string, unknown>) => Promise<void>;

class Played {
  readonly events = { GROUP_JOIN: 'join', HEARTBEAT: 'heartbeat', CRASH: 'crash' };
  readonly listeners = new Map<string, Listener>();
  eachBatch: EachBatch = async () => undefined;
  readonly committed: unknown[][] = [];
  readonly resolved: string[] = [];
  commitFails = false;
  disconnected = 0;
  /** Partitions whose fetching is paused. */
  readonly pausing = new Set<number>();
  resumed = 0;
  /** Seeks that the next fetch will follow; what was fetched before them is stale. */
  sought: { topic: string; partition: number; offset: string }[] = [];
  seek(place: { topic: string; partition: number; offset: string }) {
    this.sought.push(place);
  }
  /** Where the next fetch asks from. */
  fetchedOffset = '4';
  connecting: Promise<void> = Promise.resolve();
  on(name: string, listener: Listener) {
    this.listeners.set(name, listener);
  }
  connect = () => this.connecting;
  subscribe = async () => undefined;
  async run({ eachBatch }: { eachBatch: EachBatch }) {
    this.eachBatch = eachBatch;
  }
  async commitOffsets(offsets: unknown[]) {
    if (this.commitFails) throw new Error('no');
    this.committed.push(offsets);
  }
  async disconnect() {
    this.disconnected++;
  }
  join(memberAssignment: Record<string, number[]>) {
    this.listeners.get('join')?.({ payload: { memberAssignment } });
  }
  heartbeat() {
    this.listeners.get('heartbeat')?.({ payload: {} });
  }
  crash(restart: boolean, error = new Error('crash')) {
    this.listeners.get('crash')?.({ payload: { restart, error } });
  }
  batch(partition: number, heartbeat: () => Promise<void> = async () => undefined, count = 1) {
    return this.eachBatch({
      batch: {
        topic: 't',
        partition,
        highWatermark: '5',
        fetchedOffset: this.fetchedOffset,
        lastOffset: () => '4',
        messages: Array.from({ length: count }, (_, n) => ({
          offset: String(4 + n),
          key: null,
          value: null,
          headers: {},
        })),
      },
      resolveOffset: (offset: string) => void this.resolved.push(offset),
      heartbeat,
      pause: () => {
        this.pausing.add(partition);
        return () => {
          this.pausing.delete(partition);
          this.resumed++;
        };
      },
      isRunning: () => true,
      isStale: () => this.sought.some((place) => place.partition === partition),
    });
  }
}

const made: Played[] = [];
const logged: [string, string][] = [];
const log = {
  log: (text: string) => void logged.push(['log', text]),
  warn: (text: string) => void logged.push(['warn', text]),
  error: (text: string) => void logged.push(['error', text]),
};
let next = () => new Played();
const start = (
  handle: ConsumerOptions['handle'] = async () => undefined,
  limits = {},
  positions?: ConsumerOptions['positions'],
) => {
  const kafka = {
    consumer: () => {
      const played = next();
      made.push(played);
      return played;
    },
  } as unknown as Kafka;
  const more = { commitEveryMs: 3_600_000, backoffMs: 1, backoffMaxMs: 1, ...limits };
  return consume({
    kafka,
    groupId: 'g',
    topics: ['t'],
    limits: { ...defaults, ...more },
    handle,
    log,
    ...(positions && { positions }),
  });
};
beforeEach(() => {
  made.length = 0;
  logged.length = 0;
  next = () => new Played();
});

test('offsets are committed at the stop, and tried again where a commit failed', async () => {
  const consumer = await start(undefined, { commitEveryMs: 1 });
  const [played] = made as [Played];
  played.join({ t: [0] });
  played.commitFails = true;
  await played.batch(0);
  await vi.waitUntil(() => logged.some(([, text]) => text.includes('not committed')));
  played.commitFails = false;
  await consumer.stop();
  expect(played.committed).toEqual([[{ topic: 't', partition: 0, offset: '5' }]]);
});

test('what failed is not passed over: nothing of it is resolved or committed', async () => {
  let fails = true;
  const consumer = await start(async () => {
    if (fails) throw new Error('bad');
  });
  const [played] = made as [Played];
  played.join({ t: [0, 1] });
  await played.batch(0);
  fails = false;
  await played.batch(1);
  await consumer.stop();
  expect(played.resolved).toEqual(['4']);
  expect(played.committed).toEqual([[{ topic: 't', partition: 1, offset: '5' }]]);
});

test('what is held back is not passed over and comes again; what was handled before it is, and nothing has failed', async () => {
  let handled = 0;
  const consumer = await start(async () => ({ handled, pauseMs: 1 }));
  const [played] = made as [Played];
  played.join({ t: [0] });
  await played.batch(0);
  expect([played.resolved, consumer.paused(), logged]).toEqual([[], {}, []]);
  await vi.waitUntil(() => played.resumed === 1);
  handled = 1;
  await played.batch(0);
  expect(played.resolved).toEqual(['4']);
  await consumer.stop();
});

test('where kafkajs goes on elsewhere than was due, it is asked about before anything of it is handled', async () => {
  const order: string[] = [];
  let away = true;
  const consumer = await consume({
    kafka: { consumer: () => made[made.push(new Played()) - 1] } as unknown as Kafka,
    ...{ groupId: 'g', topics: ['t'], limits: { ...defaults, backoffMs: 1, backoffMaxMs: 1 }, log },
    positions: async () => new Map([['t/0', 1]]),
    onJump: async (...jump) => {
      order.push(jump.join(' '));
      if (away) throw new Error('the broker is away');
    },
    handle: async () => void order.push('handled'),
  });
  const [played] = made as [Played];
  played.join({ t: [0] });
  await vi.waitUntil(() => played.sought.length > 0);
  played.sought = [];
  await played.batch(0);
  expect(order).toEqual(['t/0 1 4']);
  away = false;
  await played.batch(0);
  expect(order).toEqual(['t/0 1 4', 't/0 1 4', 'handled']);
  played.fetchedOffset = '5';
  await played.batch(0);
  expect(order.slice(3)).toEqual(['handled']);
  await consumer.stop();
});

test('a topic that was made again is read from its beginning, and the group learns it though nothing of it comes', async () => {
  const consumer = await consume({
    kafka: { consumer: () => made[made.push(new Played()) - 1] } as unknown as Kafka,
    ...{ groupId: 'g', topics: ['t', 'u'], limits: defaults, log },
    positions: async () =>
      new Map([
        ['t/0', 100],
        ['u/0', 7],
      ]),
    remember: async () => undefined,
    fromBeginning: () => new Set(['t']),
    handle: async () => undefined,
  });
  const [played] = made as [Played];
  played.join({ t: [0], u: [0] });
  await vi.waitUntil(() => played.sought.length > 0);
  expect(played.sought).toEqual([
    { topic: 't', partition: 0, offset: '0' },
    { topic: 'u', partition: 0, offset: '7' },
  ]);
  await consumer.stop();
  expect(played.committed).toEqual([[{ topic: 't', partition: 0, offset: '0' }]]);
});

test('a consumer that crashes while it is being replaced is replaced once', async () => {
  const consumer = await start();
  made[0]?.join({ t: [0] });
  consumer.restart();
  made[0]?.crash(false);
  await vi.waitUntil(() => logged.some(([, text]) => text.includes('consumer rebuilt')));
  await consumer.stop();
  expect(made).toHaveLength(2);
});

test('the pauses of one that crashes as soon as it has joined grow to their bound, longer where a right is missing', async () => {
  const pauses = () => logged.flatMap(([, text]) => /built anew in (\d+) ms/.exec(text)?.[1] ?? []).map(Number);
  const denied = Object.assign(new Error('no'), { type: 'GROUP_AUTHORIZATION_FAILED' });
  const consumer = await start(undefined, { backoffMs: 1, backoffMaxMs: 2, deniedBackoffMaxMs: 8 });
  for (const [n, error] of [undefined, undefined, undefined, denied, denied].entries()) {
    made[n]?.join({ t: [0] });
    made[n]?.crash(false, error);
    if (error) expect(consumer.crashed()).toEqual({ g: 'no' });
    await vi.waitUntil(() => made.length === n + 2);
  }
  expect(pauses()).toEqual([1, 2, 2, 8, 8]);
  made[5]?.join({ t: [0] });
  expect(consumer.crashed()).toEqual({});
  await consumer.stop();
});

test('a topic that may not be read is left out until it may, and where none may be read it waits for one', async () => {
  let unreadable = new Set<string>();
  const subscribed: string[][] = [];
  next = () =>
    Object.assign(new Played(), {
      subscribe: async (subscription: { topics: string[] }) => void subscribed.push(subscription.topics),
    });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const consumer = await consume({
      kafka: { consumer: () => made[made.push(next()) - 1] } as unknown as Kafka,
      ...{ groupId: 'g', topics: ['t', 'u'], limits: { ...defaults, backoffMs: 1, backoffMaxMs: 1 }, log },
      rights: { unreadable: () => unreadable, lookAtRights: async () => undefined },
      handle: async () => undefined,
    });
    const look = async (now: string[], expected: string[]) => {
      unreadable = new Set(now);
      const before = subscribed.length;
      made.at(-1)?.join({ t: [0] });
      await vi.advanceTimersByTimeAsync(1_000);
      await vi.waitUntil(() => subscribed.length > before);
      expect(subscribed.at(-1)).toEqual(expected);
    };
    await look(['t'], ['u']);
    await look([], ['t', 'u']);
    unreadable = new Set(['t', 'u']);
    made.at(-1)?.join({ t: [0] });
    await vi.advanceTimersByTimeAsync(1_000);
    await vi.waitUntil(() => logged.some(([, text]) => text.includes('no right to read t or u')));
    expect(consumer.state()).toBe('rebuilding');
    unreadable = new Set(['u']);
    await vi.waitUntil(() => subscribed.at(-1)?.join() === 't');
    made.at(-1)?.join({ t: [0] });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(subscribed).toHaveLength(4);
    await consumer.stop();
  } finally {
    vi.useRealTimers();
  }
});

test('offsets and failures of a partition that went to another instance are dropped', async () => {
  const consumer = await start(async (_topic, partition) => {
    if (partition === 1) throw new Error('bad');
  });
  const [played] = made as [Played];
  played.join({ t: [0, 1] });
  await Promise.all([played.batch(0), played.batch(1)]);
  expect(consumer.paused()).toEqual({ 't/1': 'bad' });
  played.join({ t: [2] });
  expect(consumer.paused()).toEqual({});
  await consumer.stop();
  expect(played.committed).toEqual([]);
});

describe('what ends after the group was joined again', () => {
  /** A slice of each partition is in work while the group is joined again; only the first partition stays. */
  const rejoinedMeanwhile = async (end: () => Promise<Held | undefined>) => {
    let go = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    const consumer = await start(
      async () => {
        await gone;
        return end();
      },
      { backoffMs: 60_000, backoffMaxMs: 60_000 },
    );
    const [played] = made as [Played];
    played.join({ t: [0, 1] });
    const batches = [played.batch(0), played.batch(1)];
    await vi.waitUntil(() => consumer.busy('t/0') && consumer.busy('t/1'));
    played.join({ t: [0] });
    go();
    await Promise.all(batches);
    return { consumer, played };
  };

  test.each([
    ['holds records back', async () => ({ handled: 0, pauseMs: 60_000 })],
    ['fails', async () => Promise.reject(new Error('bad'))],
  ])('pauses no partition and is told of none, where it %s', async (_how, end) => {
    const { consumer, played } = await rejoinedMeanwhile(end);
    expect([...played.pausing]).toEqual([]);
    expect(consumer.paused()).toEqual({});
    await consumer.stop();
  });

  test('is neither resolved nor committed: whoever has the partition now goes on by what it knows', async () => {
    const { consumer, played } = await rejoinedMeanwhile(async () => undefined);
    expect([played.resolved, consumer.lag(), [...consumer.positions()]]).toEqual([[], { 't/0': 1 }, []]);
    await consumer.stop();
    expect(played.committed).toEqual([]);
  });

  test('what is left of a batch is not taken up', async () => {
    let handled = 0;
    let rejoin = (): void => undefined;
    const consumer = await start(
      async () => {
        handled++;
        rejoin();
        return undefined;
      },
      { batchEvents: 1 },
    );
    const [played] = made as [Played];
    played.join({ t: [0] });
    rejoin = () => played.join({ t: [0] });
    await played.batch(0, undefined, 3);
    expect(handled).toBe(1);
    await consumer.stop();
  });
});

test('a partition that is paused goes on at once where the group is joined again and it is no longer ours, or only held back', async () => {
  const consumer = await start(
    async (_topic, partition) => {
      if (partition === 1) throw new Error('bad');
      return { handled: 0, pauseMs: 60_000 };
    },
    { backoffMs: 60_000, backoffMaxMs: 60_000 },
  );
  const [played] = made as [Played];
  played.join({ t: [0, 1, 2] });
  await Promise.all([played.batch(0), played.batch(1), played.batch(2)]);
  expect([...played.pausing].sort()).toEqual([0, 1, 2]);
  played.join({ t: [0, 1] });
  expect([...played.pausing]).toEqual([1]);
  played.join({ t: [0] });
  expect([...played.pausing]).toEqual([]);
  await consumer.stop();
});

test('a step back of the clock builds the consumer anew, once; a step forward and a slow drift do not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let off = 0;
  const real = Date.now;
  vi.spyOn(Date, 'now').mockImplementation(() => real() + off);
  try {
    const consumer = await start();
    made[0]?.join({ t: [0] });
    const step = async (ms: number): Promise<void> => {
      off += ms;
      await vi.advanceTimersByTimeAsync(1_000);
    };
    await step(3_600_000);
    for (let n = 0; n < 10; n++) {
      await step(-1_000);
      made[0]?.heartbeat();
    }
    expect(consumer.state()).toBe('running');
    await step(-60_000);
    expect(consumer.state()).toBe('rebuilding');
    await vi.waitUntil(() => made.length === 2);
    made[1]?.join({ t: [0] });
    await step(0);
    expect([consumer.state(), made.length]).toEqual(['running', 2]);
    await consumer.stop();
  } finally {
    vi.useRealTimers();
    vi.restoreAllMocks();
  }
});

test('a crash that kafkajs mends is a warning, one that it does not is an error and a new consumer', async () => {
  const consumer = await start();
  const [first] = made as [Played];
  first.join({ t: [0] });
  first.crash(true);
  expect(logged).toEqual([['warn', 'g: consumer crashed: crash']]);
  expect(consumer.state()).toBe('rebuilding');
  first.join({ t: [0] });
  expect(consumer.state()).toBe('running');
  first.crash(false);
  await vi.waitUntil(() => made.length === 2);
  expect(logged.at(1)).toEqual(['error', 'g: consumer crashed: crash']);
  made[1]?.join({ t: [0] });
  expect(consumer.state()).toBe('running');
  // A late word of the old one changes nothing.
  first.crash(false);
  expect(consumer.state()).toBe('running');
  await consumer.stop();
});

test('a stop while the consumer is being rebuilt leaves none behind', async () => {
  const consumer = await start();
  let connected = (): void => undefined;
  next = () => {
    const played = new Played();
    played.connecting = new Promise((resolve) => {
      connected = resolve;
    });
    return played;
  };
  made[0]?.crash(false);
  await vi.waitUntil(() => made.length === 2);
  const stopped = consumer.stop();
  connected();
  await stopped;
  expect(made[1]?.disconnected).toBe(1);
  expect(consumer.state()).toBe('stopped');
});

test('after a stop a rebalance brings no new work', async () => {
  let handled = 0;
  const consumer = await start(async () => void handled++);
  const [played] = made as [Played];
  await consumer.stop();
  played.join({ t: [0] });
  await played.batch(0);
  expect(consumer.state()).toBe('stopped');
  expect(handled).toBe(0);
});

test('a slow slice goes on telling the group that it is alive', async () => {
  let beats = 0;
  let done = (): void => undefined;
  const slow = new Promise<void>((resolve) => {
    done = resolve;
  });
  const consumer = await start(() => slow, { sessionMs: 4 });
  const batch = made[0]?.batch(0, async () => {
    beats++;
  });
  await vi.waitUntil(() => beats > 1);
  done();
  await batch;
  await consumer.stop();
});

describe('positions of its own', () => {
  test('nothing is handled before its partition stands where the tables end, however long they take to answer', async () => {
    let handled = 0;
    let asked = 0;
    const consumer = await start(
      async () => void handled++,
      {},
      async () => {
        if (asked++ === 0) throw new Error('away');
        return new Map([['t/1', 3]]);
      },
    );
    const [played] = made as [Played];
    played.join({ t: [0, 1] });
    // What was fetched from where the group had got to is not handled; it would move the position over what is missing.
    await Promise.all([played.batch(0), played.batch(1)]);
    expect(handled).toBe(0);
    expect(played.sought).toEqual([
      { topic: 't', partition: 0, offset: '0' },
      { topic: 't', partition: 1, offset: '3' },
    ]);
    played.sought = [];
    await played.batch(1);
    expect(handled).toBe(1);
    await consumer.stop();
  });

  test('what was fetched before a crash is not handled after it, and the next join is placed by itself', async () => {
    let handled = 0;
    let answer = (_: ReadonlyMap<string, number>): void => undefined;
    const consumer = await start(
      async () => void handled++,
      {},
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const [played] = made as [Played];
    played.join({ t: [0] });
    const before = played.batch(0);
    played.crash(true);
    answer(new Map());
    await before;
    expect(handled).toBe(0);
    expect(played.sought).toEqual([]);
    played.join({ t: [0] });
    answer(new Map([['t/0', 2]]));
    await vi.waitUntil(() => played.sought.length === 1);
    await consumer.stop();
  });
});

test('a failure that is over is told no longer after the next join: the partition may have been handled elsewhere', async () => {
  const consumer = await start(async () => {
    throw new Error('bad');
  });
  const [played] = made as [Played];
  played.join({ t: [0] });
  await played.batch(0);
  expect(consumer.paused()).toEqual({ 't/0': 'bad' });
  await vi.waitUntil(() => played.resumed > 0);
  played.join({ t: [0] });
  expect(consumer.paused()).toEqual({});
  await consumer.stop();
});

describe('what nobody would see otherwise', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('a consumer that the broker has not heard for three sessions is silent until it answers again', async () => {
    const consumer = await start(undefined, { sessionMs: 6_000 });
    const [played] = made as [Played];
    played.join({ t: [0] });
    await vi.advanceTimersByTimeAsync(11_000);
    played.heartbeat();
    await vi.advanceTimersByTimeAsync(18_000);
    expect(consumer.state()).toBe('running');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(consumer.state()).toBe('silent');
    played.join({ t: [0] });
    expect(consumer.state()).toBe('running');
    await consumer.stop();
  });

  test('a slice that does not end is told, with its partition and for how long', async () => {
    let done = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      done = resolve;
    });
    const consumer = await start(() => slow);
    const batch = made[0]?.batch(3);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(consumer.slow()).toEqual({});
    await vi.advanceTimersByTimeAsync(32_000);
    expect(consumer.slow()).toEqual({ 't/3': 61 });
    expect(logged).toEqual([
      ['warn', 't/3: in work for 30 s'],
      ['warn', 't/3: in work for 60 s'],
    ]);
    done();
    await batch;
    expect(consumer.slow()).toEqual({});
    await consumer.stop();
  });
});
