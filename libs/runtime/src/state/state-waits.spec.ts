import { topics } from '@countersign/contracts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaults } from '../api/limits.js';
import type { Entry, RawRecord } from '../kafka/entries.js';
import { StateWaits } from './state-waits.js';

/* The table of state, the broker's clock and the time are played here. */

const topic = 'a-topic';
const controls = topics.controls;
const place = `${topic}/0`;

let rows: Set<string>;
/** When the ends were looked at that the tables have reached, by the monotonic clock. */
let compared: number;
/** The broker's clock less the monotonic one, where it was heard. */
let broker: number | undefined;
let handled: string[];
let looks: number;
let waits: StateWaits;

const record = (n: number, timestamp?: number): RawRecord => {
  const plain = { partition: 0, offset: String(n), key: null, value: null };
  return timestamp === undefined ? plain : { ...plain, timestamp: String(timestamp) };
};
const entry = (record: RawRecord): Entry => {
  const id = `event-${record.offset}`;
  return { record, sha: '', source: 'a', id, event: { id } as Entry['event'] & object };
};
const visit = async (records: readonly RawRecord[]) =>
  waits.handle(
    topic,
    records,
    (all) => all.map(entry),
    async (entries: readonly Entry[]) => void handled.push(...entries.map(({ record }) => record.offset)),
  );
/** A visit, with the time that it takes. */
const goThrough = async (records: readonly RawRecord[]) => {
  const visiting = visit(records);
  await vi.advanceTimersByTimeAsync(1_000);
  return visiting;
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'Date'] });
  [rows, compared, broker, handled, looks] = [new Set(), 0, undefined, [], 0];
  waits = new StateWaits({
    needs: ({ event }) => [{ topic: controls, key: event.id, version: 1 }],
    db: {
      read: async (_sql: string, params?: readonly unknown[]) => {
        looks++;
        const keys = params?.[1] as string[];
        return keys.flatMap((key, n) => (rows.has(key) ? [] : [{ n: n + 1 }])) as never;
      },
    },
    limits: defaults,
    clock: { agoMs: (_of, time) => (broker === undefined ? 0 : Math.max(0, broker + performance.now() - time)) },
    reader: () => ({
      comparedAgo: () => ({ [controls.name]: () => performance.now() - compared }),
      more: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    }),
    log: { warn: () => undefined },
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('what is there is handled at once; what is read in a moment is waited for where it is', async () => {
  rows.add('event-1');
  expect(await visit([record(1)])).toBeUndefined();
  setTimeout(() => rows.add('event-2'), 100);
  expect(await goThrough([record(2)])).toBeUndefined();
  expect(handled).toEqual(['1', '2']);
});

test('what has to wait holds back what is behind it, and what is before it is handled', async () => {
  rows.add('event-1').add('event-3');
  expect(await goThrough([record(1), record(2), record(3)])).toMatchObject({ handled: 1 });
  expect(handled).toEqual(['1']);
  rows.add('event-2');
  expect(await visit([record(2), record(3)])).toBeUndefined();
  expect(handled).toEqual(['1', '2', '3']);
});

test('an event goes on without what nobody has, after its time and after ends that were looked at later', async () => {
  await goThrough([record(1)]);
  vi.advanceTimersByTime(defaults.stateWaitMs - 1_500);
  compared = performance.now();
  vi.advanceTimersByTime(10_000);
  expect(await visit([record(1)])).toMatchObject({ handled: 0 });
  expect(waits.late()).toEqual({ [place]: expect.stringMatching(/^waits for state that is not read yet, for \d+ s$/) });
  compared = performance.now();
  expect(await visit([record(1)])).toBeUndefined();
  expect(waits.late()).toEqual({});
});

test('an event that waits as long as is usual is nothing to tell of', async () => {
  await goThrough([record(1)]);
  vi.advanceTimersByTime(defaults.stateWaitMs);
  expect(waits.late()).toEqual({});
});

test('events that come one after another wait beside each other: each for its own time and none for that of those before it', async () => {
  const due = new Map<number, number>();
  const went = new Map<number, number>();
  let next = 0;
  for (let second = 0; second < 60; second++) {
    for (const n of [2 * second, 2 * second + 1]) due.set(n, performance.now() + defaults.stateWaitMs);
    compared = performance.now();
    const all = Array.from({ length: 2 * second + 2 - next }, (_, i) => record(next + i));
    const { handled: count } = (await goThrough(all)) ?? { handled: all.length };
    for (let n = next; n < next + count; n++) went.set(n, performance.now());
    next += count;
  }
  expect(next).toBeGreaterThan(100);
  for (const [n, at] of went) {
    expect(at).toBeGreaterThanOrEqual(due.get(n) as number);
    // One look for the time, one for the ends.
    expect(at - (due.get(n) as number)).toBeLessThanOrEqual(2_000);
  }
});

test('what the broker has long taken begins no time of its own, whatever this instance has seen of it; no time of a writer does', async () => {
  broker = 1_000_000;
  compared = performance.now();
  const long = broker + performance.now() - 60_000;
  expect(await visit([record(1, long), record(2, long)])).toBeUndefined();
  // Taken a minute ago, and the reader has not been to an end since: it may have what the event needs.
  compared = performance.now() - 58_000;
  expect(await goThrough([record(3, long)])).toMatchObject({ handled: 0 });
  const still = broker + performance.now() + 3_600_000;
  compared = performance.now();
  expect(await goThrough([record(4, still)])).toMatchObject({ handled: 0 });
});

test('one partition of a topic waits where it is, the others pause at once', async () => {
  await goThrough([record(1)]);
  const before = looks;
  const other = { ...record(1), partition: 1 };
  expect(await visit([other])).toMatchObject({ handled: 0 });
  expect(looks).toBe(before + 1);
});

test('whoever has joined its group again knows nothing of before', async () => {
  await goThrough([record(1)]);
  vi.advanceTimersByTime(60_000);
  waits.forget();
  compared = performance.now();
  expect(await goThrough([record(1)])).toMatchObject({ handled: 0 });
});

test.each([
  ['group', undefined],
  ['partition', place],
])(
  'a visit that ends after the %s was forgotten holds nothing: it would be told of, and keep others from waiting, for ever',
  async (_what, what) => {
    const visiting = visit([record(1)]);
    await vi.advanceTimersByTimeAsync(100);
    waits.forget(what);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await visiting).toMatchObject({ handled: 0 });
    vi.advanceTimersByTime(3 * defaults.stateWaitMs);
    expect(waits.late()).toEqual({});
    const before = looks;
    await goThrough([{ ...record(1), partition: 1 }]);
    expect(looks).toBeGreaterThan(before + 1);
  },
);

test('a visit of before ends no hold of the visit that came after it', async () => {
  rows.add('event-1');
  let go = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const early = waits.handle(
    topic,
    [record(1)],
    (all) => all.map(entry),
    async () => gone,
  );
  await vi.advanceTimersByTimeAsync(0);
  waits.forget();
  await goThrough([record(2)]);
  go();
  await early;
  vi.advanceTimersByTime(3 * defaults.stateWaitMs);
  expect(Object.keys(waits.late())).toEqual([place]);
});
