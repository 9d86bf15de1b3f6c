import { expect, test } from 'vitest';
import { pageReads, TooManyReads } from './page-reads.js';

/** Reads that end when they are told to, and whose they are, in the order in which they began. */
function reads(connections: number) {
  const pages = pageReads(connections);
  const running: (() => void)[] = [];
  const begun: string[] = [];
  const reading = (name: string) => () =>
    new Promise<void>((resolve) => {
      begun.push(name);
      running.push(resolve);
    });
  const read = (name = 'lea') => pages.run(name, reading(name));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  /** Ends this many reads, one after the other. */
  const end = async (count: number) => {
    for (let ended = 0; ended < count; ended++) {
      running.shift()?.();
      await turn();
    }
  };
  return { pages, read, reading, running, begun, turn, end };
}

const several = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

test('pages read with a fifth of the connections, and with one where there are few', async () => {
  for (const [connections, atOnce] of [
    [10, 2],
    [20, 4],
    [3, 1],
  ] as const) {
    const { read, running, turn } = reads(connections);
    const all = several(6, () => read());
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

test('whoever has ten reads waiting is told to come again, and nobody else is', async () => {
  const { read, turn, end } = reads(10);
  const waiting = several(12, () => read('viewer'));
  await turn();
  await expect(read('viewer')).rejects.toMatchObject({ name: 'TooManyReads', status: 503, retryAfter: 2 });
  const reviewer = read('reviewer');
  await end(13);
  await Promise.all([...waiting, reviewer]);
  const again = read('viewer');
  await end(1);
  await again;
});

test('turns go round: whoever comes anew waits for one read of each other principal, not for all of theirs', async () => {
  const { read, begun, turn, end } = reads(5);
  const all = [...several(5, () => read('viewer')), ...several(2, () => read('script')), read('reviewer')];
  await turn();
  await end(3);
  // Back before its others had theirs, it is behind them.
  all.push(read('reviewer'));
  await end(6);
  expect(begun).toEqual([
    ...['viewer', 'viewer', 'script', 'reviewer'],
    ...['viewer', 'script', 'reviewer', 'viewer', 'viewer'],
  ]);
  await Promise.all(all);
});

test('where fifty wait for all, whoever has fewest waiting takes the place of the last read of whoever has most, until all have as many', async () => {
  const { read, begun, turn, end } = reads(5);
  const running = read('a');
  const waiting = ['a', 'b', 'c', 'd', 'e'].flatMap((name) => several(10, () => read(name)));
  await turn();
  const displaced = expect(waiting[9]).rejects.toBeInstanceOf(TooManyReads);
  const newcomer = read('reviewer');
  await displaced;
  const settled = Promise.allSettled([running, ...waiting, newcomer, ...several(9, () => read('reviewer'))]);
  await expect(read('a')).rejects.toMatchObject({ status: 503 });
  await end(51);
  expect((await settled).filter(({ status }) => status === 'fulfilled')).toHaveLength(51);
  expect(begun.indexOf('reviewer')).toBe(6);
  const counts = Object.fromEntries(['b', 'c', 'd', 'e', 'reviewer'].map((name) => [name, 0]));
  for (const name of begun) if (name !== 'a') counts[name] = (counts[name] ?? 0) + 1;
  for (const count of Object.values(counts)) expect([8, 9]).toContain(count);
});

test('a read that fails gives its turn back', async () => {
  const { pages } = reads(5);
  const failing = () => pages.run('lea', async () => Promise.reject(new Error('no answer')));
  await expect(failing()).rejects.toThrow('no answer');
  await expect(failing()).rejects.toThrow('no answer');
  expect(await pages.run('lea', async () => 'read')).toBe('read');
});

test('an export that has begun waits for its turn, however many of its principal wait', async () => {
  const { pages, read, reading, turn, end } = reads(10);
  const waiting = several(12, () => read());
  await turn();
  const all = pages.begin('lea');
  const part = all.run(reading('export'));
  await expect(read()).rejects.toBeInstanceOf(TooManyReads);
  await end(13);
  await Promise.all([...waiting, part]);
});

test('a principal has one export under way, and all together four; one that ends makes room', () => {
  const { pages } = reads(10);
  const [lea] = ['lea', 'kim', 'max', 'ida'].map((name) => pages.begin(name));
  expect(() => pages.begin('lea')).toThrow(expect.objectContaining({ name: 'TooManyReads', status: 429 }));
  expect(() => pages.begin('eve')).toThrow(expect.objectContaining({ name: 'TooManyReads', status: 503 }));
  lea?.end();
  lea?.end();
  pages.begin('eve');
  expect(() => pages.begin('lea')).toThrow(expect.objectContaining({ status: 503 }));
});

test('an export that is left while it waits for a read is under way until that read has ended, so its reads do not pile up', async () => {
  const { pages, reading, turn, end } = reads(5);
  const first = pages.begin('lea');
  const read = first.run(reading('export'));
  first.end();
  expect(() => pages.begin('lea')).toThrow(TooManyReads);
  await turn();
  await end(1);
  await read;
  await expect(first.run(reading('export'))).rejects.toThrow('has ended');
  pages.begin('lea');
});
