import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Figure } from '../figure.js';
import { rateOf } from '../rate.js';
import { withServers } from '../servers.js';
import type { Worker } from '../worker.js';
import type { Appender } from './appender.js';
import { withWorkers } from './chain.js';
import type { Load } from './load.js';

/** F3: appending to a table with Merkle leaf hashes. */
export async function measureF3(bench: Bench): Promise<Figure[]> {
  return withServers(bench, ({ access, database, topics }) =>
    withWorkers(bench, async (start) => {
      await topics('record');
      const load = start<Load>(new URL('load.js', import.meta.url));
      const appender = start<Appender>(new URL('appender.js', import.meta.url));
      await load.ask('connect', { access, topic: 'record' });
      await appender.ask('run', { access, database, from: 'record' });

      bench.log('f3: warming up');
      await append(bench, load, appender, 'warm-up', bench.quick ? 5_000 : 20_000);
      const count = bench.quick ? 15_000 : 150_000;
      bench.log(`f3: ${count} events at once`);
      const rate = rateOf(await append(bench, load, appender, 'rate', count));
      return [
        {
          id: 'f3.rate',
          what: 'rows with Merkle leaf hashes',
          value: rate,
          unit: '/s',
          note: '1,000 rows a transaction, 1 kB each',
        },
      ];
    }),
  );
}

/** When each row was committed. */
async function append(
  bench: Bench,
  load: Worker<Load>,
  appender: Worker<Appender>,
  phase: string,
  count: number,
): Promise<readonly number[]> {
  await appender.ask('pause', null);
  await appender.ask('forget', null);
  await load.ask('backlog', { phase, count });
  await appender.ask('resume', null);
  for (let times: readonly number[] = [], before = -1; ; before = times.length) {
    await sleep(3_000, undefined, { signal: bench.signal });
    times = await appender.ask('committed', null);
    if (times.length > count) bench.wrong(`f3: ${times.length} rows of ${count} events`);
    if (times.length >= count) return times;
    if (times.length === before) throw new Error(`only ${times.length} of ${count} events were appended`);
  }
}
