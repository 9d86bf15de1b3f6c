import { expect, test } from 'vitest';
import { pageReads, TooManyReads } from './page-reads.js';

/** Reads that end when they are told to, and how many of them run. */
function reads(connections: number) {
  const pages = pageReads(connections);
  const running: (() => void)[] = [];
  const read = (patient = false) => pages.run(() => new Promise<void>((resolve) => running.push(resolve)), patient);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { pages, read, running, turn };
}

test('pages read with a fifth of the connections, and with one where there are few', async () => {
  for (const [connections, atOnce] of [
    [10, 2],
    [20, 4],
    [3, 1],
  ] as const) {
    const { read, running, turn } = reads(connections);
    const all = Array.from({ length: 6 }, () => read());
    await turn();
    expect(running).toHaveLength(atOnce);
    for (let ended = 0; ended < 6; ended++) {
      running[ended]?.();
      await turn();
      expect(running.length - ended - 1).toBeLessThanOrEqual(atOnce);
    }
    await Promise.all(all);
  }
});

test('whoever asks while fifty wait is told to come again; a part of an answer that has begun waits, and so does who comes later', async () => {
  const { read, running, turn } = reads(10);
  const waiting = Array.from({ length: 52 }, () => read());
  await turn();
  await expect(read()).rejects.toBeInstanceOf(TooManyReads);
  const patient = read(true);
  for (let ended = 0; ended < 53; ended++) {
    running[ended]?.();
    await turn();
  }
  await Promise.all([...waiting, patient]);
  const again = read();
  await turn();
  running.at(-1)?.();
  await again;
});

test('a read that fails gives its turn back', async () => {
  const { pages } = reads(5);
  const failing = () => pages.run(async () => Promise.reject(new Error('no answer')));
  await expect(failing()).rejects.toThrow('no answer');
  await expect(failing()).rejects.toThrow('no answer');
  expect(await pages.run(async () => 'read')).toBe('read');
});
