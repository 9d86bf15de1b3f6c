import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { followLines, type Live } from './lines.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** As a browser's `EventSource`; the test says what comes. */
class Line extends EventTarget {
  readonly CLOSED = 2;
  readyState = 1;
  onerror: () => void = () => undefined;
  close(): void {
    this.readyState = this.CLOSED;
  }
  hear(type: 'alive' | 'changed' | 'ended', data: object = {}): void {
    if (this.readyState === this.CLOSED) throw new Error('closed');
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify({ at: '2026-11-21T10:00:00.000Z', ...data }) }));
  }
  fail(refused: boolean): void {
    this.readyState = refused ? this.CLOSED : 0;
    this.onerror();
  }
}

function page() {
  const lines: Line[] = [];
  const calls: string[] = [];
  const times: string[] = [];
  let live: Live = { connected: true, at: undefined };
  const note = (what: string) => () => void calls.push(what);
  const end = followLines({
    open: () => {
      lines.push(new Line());
      return lines.at(-1) as unknown as EventSource;
    },
    online: new EventTarget(),
    show: (change) => {
      live = change(live);
    },
    setTime: (at) => times.push(at),
    lost: note('lost'),
    changed: (part) => calls.push(part),
    missed: note('missed'),
    askSession: note('session'),
  });
  return {
    end,
    calls,
    times,
    lines,
    last: () => lines.at(-1) as Line,
    open: () => lines.filter(({ readyState }) => readyState !== 2).length,
    connected: () => live.connected,
  };
}

test('what changes is read again, and everything after the first word, and each message says what time it is', () => {
  const { last, calls, times, connected } = page();
  last().hear('alive');
  last().hear('changed', { at: '2026-11-21T10:00:05.000Z', parts: ['reviews'] });
  expect(times).toEqual(['2026-11-21T10:00:00.000Z', '2026-11-21T10:00:05.000Z']);
  expect(calls).toEqual(['missed', 'reviews']);
  expect(connected()).toBe(true);
});

test('a session that ends is asked for again, the page says that it may be old, and another line is tried: that of the next session', async () => {
  const { last, lines, calls, connected, end } = page();
  last().hear('alive');
  last().hear('ended');
  expect([connected(), calls]).toEqual([false, ['missed', 'session']]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(lines).toHaveLength(2);
  last().hear('alive');
  expect([connected(), calls]).toEqual([true, ['missed', 'session', 'missed']]);
  end();
});

test('without another session nothing is tried once its follower has ended it', async () => {
  const { last, lines, open, end } = page();
  last().hear('alive');
  last().hear('ended');
  end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([lines.length, open()]).toEqual([1, 0]);
});

test('lines that open and never speak are told, and stay few', async () => {
  const { open, connected, last } = page();
  expect(connected()).toBe(true);
  await vi.advanceTimersByTimeAsync(3_500);
  expect(connected()).toBe(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(open()).toBe(4);
  last().hear('alive');
  expect([connected(), open()]).toEqual([true, 1]);
});

test('a line that falls silent or breaks is lost, and another one is tried', async () => {
  const { last, lines, calls, connected } = page();
  last().hear('alive');
  await vi.advanceTimersByTimeAsync(12_001);
  expect([connected(), lines.length]).toEqual([false, 2]);
  last().hear('alive');
  last().fail(false);
  expect(connected()).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  last().fail(true);
  expect(calls).toEqual(['missed', 'lost', 'missed', 'lost', 'session']);
});
