import { expect, test } from 'vitest';
import type { Database } from '../database/database.js';
import { TopicWatch } from './topic-watch.js';

test('of a partition that goes on elsewhere than was due only what its log no longer has is lost', async () => {
  const written: unknown[][] = [];
  const read = async (sql: string, params: unknown[] = []) => {
    if (sql.includes('INSERT INTO gaps')) written.push(params.slice(1, 4));
    return [];
  };
  const watch = new TopicWatch({
    db: { read } as unknown as Database,
    facts: {
      look: async () => new Map(),
      ids: async () => new Map(),
      offsets: async () => new Map([['t/0', 30]]),
      close: async () => undefined,
    },
    topics: [],
    writes: [],
    now: () => '2026-11-21T10:00:00.000Z',
    log: { log: () => undefined, warn: () => undefined, error: () => undefined },
    settings: async () => new Map(),
    republish: async () => undefined,
  });
  // Compaction and transactions leave such holes; the log begins before them.
  await watch.jumped('t/0', 30, 40);
  expect(written).toEqual([]);
  await watch.jumped('t/0', 10, 40);
  await watch.jumped('t/0', 20, 25);
  expect(written).toEqual([
    [0, 10, 30],
    [0, 20, 25],
  ]);
});
