import { expect, test } from 'vitest';
import { together } from './together.js';

/** Records the turns; `hold` keeps the running one until it is called. */
function turns(most: number, fails: (items: readonly string[]) => Error | undefined = () => undefined) {
  const seen: (readonly string[])[] = [];
  const held: (() => void)[] = [];
  let holding = false;
  const handle = async (items: readonly string[]): Promise<void> => {
    seen.push(items);
    if (holding) await new Promise<void>((resolve) => held.push(resolve));
    const error = fails(items);
    if (error) throw error;
  };
  return {
    seen,
    give: together(handle, most),
    hold: () => {
      holding = true;
    },
    release: () => {
      holding = false;
      for (const resolve of held.splice(0)) resolve();
    },
  };
}

test('slices that come in the same turn of the event loop are handled together', async () => {
  const { seen, give } = turns(10);
  await Promise.all([give(['a', 'b']), give(['c']), give(['d'])]);
  expect(seen).toEqual([['a', 'b', 'c', 'd']]);
});

test('what comes while one turn goes on gathers for the next, in its order', async () => {
  const { seen, give, hold, release } = turns(10);
  hold();
  const first = give(['a']);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  const later = [give(['b']), give(['c'])];
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual([['a']]);
  release();
  await Promise.all([first, ...later]);
  expect(seen).toEqual([['a'], ['b', 'c']]);
});

test('a turn holds at most so many items, and a slice above that comes alone', async () => {
  const { seen, give } = turns(3);
  await Promise.all([give(['a', 'b']), give(['c', 'd']), give(['e']), give(['1', '2', '3', '4']), give(['f'])]);
  expect(seen).toEqual([['a', 'b'], ['c', 'd', 'e'], ['1', '2', '3', '4'], ['f']]);
});

test('the slice that makes a common turn fail fails alone, and what comes later goes on', async () => {
  const { seen, give } = turns(10, (items) => (items.includes('bad') ? new Error('bad') : undefined));
  const results = await Promise.allSettled([give(['a']), give(['bad']), give(['c'])]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(seen).toEqual([['a', 'bad', 'c'], ['a'], ['bad'], ['c']]);
  await give(['d']);
  expect(seen.at(-1)).toEqual(['d']);
});

test('where the world is at fault, none of the slices is tried alone', async () => {
  const gone = Object.assign(new Error('gone'), { code: 'ECONNREFUSED', syscall: 'connect' });
  const { seen, give } = turns(10, () => gone);
  const results = await Promise.allSettled([give(['a']), give(['b'])]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(seen).toEqual([['a', 'b']]);
});

test('one slice that the world seems to refuse again and again does not hold up the others', async () => {
  const refused = Object.assign(new Error('the broker refuses what it makes'), { code: 'ETIMEDOUT' });
  const { seen, give } = turns(10, (items) => (items.includes('stuck') ? refused : undefined));
  await Promise.allSettled([give(['a']), give(['stuck']), give(['b'])]);
  // They come again after their pause.
  const results = await Promise.allSettled([give(['a']), give(['stuck']), give(['b'])]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  await Promise.all([give(['c']), give(['d'])]);
  expect(seen.at(-1)).toEqual(['c', 'd']);
});
