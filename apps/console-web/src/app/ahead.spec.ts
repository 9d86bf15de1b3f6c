import { expect, test } from 'vitest';
import { loadAhead } from './ahead.js';

/** A browser whose files come when the test lets them come. */
function browser(...files: string[]) {
  const asked: string[] = [];
  const under = new Map<string, { come: () => void; fail: () => void }>();
  let rest: PromiseWithResolvers<void> | undefined;
  const ahead = loadAhead(files, {
    load: (file, signal) => {
      asked.push(file);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const end = (then: () => void) => () => {
        under.delete(file);
        then();
      };
      under.set(file, { come: end(resolve), fail: end(() => reject(new Error('not found'))) });
      signal.addEventListener(
        'abort',
        end(() => reject(signal.reason)),
      );
      return promise;
    },
    rest: () => rest?.promise ?? Promise.resolve(),
  });
  const soon = () => new Promise((resolve) => setTimeout(resolve));
  return {
    ...{ ahead, asked, soon },
    busy: () => {
      rest = Promise.withResolvers();
    },
    idle: async () => {
      rest?.resolve();
      rest = undefined;
      await soon();
    },
    under: () => [...under.keys()],
    come: async (file: string) => {
      under.get(file)?.come();
      await soon();
    },
    fail: async (file: string) => {
      under.get(file)?.fail();
      await soon();
    },
  };
}

test('one file after another is loaded, each once, and the next also after one that failed', async () => {
  const { ahead, asked, under, come, fail, soon } = browser('a', 'b', 'c');
  ahead.go();
  await soon();
  expect(under()).toEqual(['a']);
  await come('a');
  expect(under()).toEqual(['b']);
  await fail('b');
  expect(under()).toEqual(['c']);
  await come('c');
  ahead.stop();
  ahead.go();
  await soon();
  expect(asked).toEqual(['a', 'b', 'c']);
});

test('nothing is loaded before the page rests, nor after it was stopped meanwhile', async () => {
  const { ahead, asked, under, busy, idle, soon } = browser('a', 'b');
  busy();
  ahead.go();
  await soon();
  expect(asked).toEqual([]);
  ahead.stop();
  await idle();
  expect(asked).toEqual([]);
  ahead.go();
  await soon();
  expect(under()).toEqual(['a']);
});

test('a stop gives up the file that is on its way, and it is the first one later', async () => {
  const { ahead, asked, under, come, soon } = browser('a', 'b');
  ahead.go();
  await soon();
  ahead.stop();
  await soon();
  expect(under()).toEqual([]);
  ahead.go();
  await soon();
  expect(under()).toEqual(['a']);
  await come('a');
  expect([asked, under()]).toEqual([['a', 'a', 'b'], ['b']]);
});

test('files come one at a time, however often it is stopped and begun', async () => {
  const { ahead, under, come, soon } = browser('a', 'b');
  for (let n = 0; n < 3; n++) {
    ahead.go();
    ahead.go();
    await soon();
    expect(under()).toEqual(['a']);
    ahead.stop();
  }
  ahead.go();
  await soon();
  await come('a');
  expect(under()).toEqual(['b']);
});
