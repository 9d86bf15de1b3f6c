import type { Bench, Figure } from '../figure.js';
import { withServers } from '../servers.js';
import { latenciesAt, rateThrough, withWorkers } from './chain.js';
import type { DurableHop } from './durable-hop.js';
import type { Load } from './load.js';
import type { Meter } from './meter.js';
import { useOf } from './use.js';

/** F2: one hop with a transaction per batch and a signature per event. */
export async function measureF2(bench: Bench): Promise<Figure[]> {
  return withServers(bench, (servers) =>
    withWorkers(bench, async (start) => {
      const { access, database, topics } = servers;
      await topics('in', 'out');
      const load = start<Load>(new URL('load.js', import.meta.url));
      const meter = start<Meter>(new URL('meter.js', import.meta.url));
      const first = start<DurableHop>(new URL('durable-hop.js', import.meta.url));
      await Promise.all([
        load.ask('connect', { access, topic: 'in' }),
        meter.ask('connect', { access, topic: 'out' }),
        first.ask('run', { access, database, from: 'in', to: 'out' }),
      ]);
      const chain = { load, meter, first };

      bench.log('f2: warming up');
      await rateThrough(bench, chain, 'warm-up', bench.quick ? 5_000 : 20_000);
      const count = bench.quick ? 8_000 : 80_000;
      bench.log(`f2: ${count} events at once`);
      const { result: rate, figures: uses } = await useOf('f2', servers, [first.pid], count, () =>
        rateThrough(bench, chain, 'rate', count),
      );
      bench.log('f2: 500 events a second');
      const { p50, p99 } = await latenciesAt(bench, chain, { rate: 500, seconds: bench.quick ? 2 : 20 });
      return [
        {
          id: 'f2.rate',
          what: 'one durable, signing hop, sustained',
          value: rate,
          unit: '/s',
          note: `a backlog of ${count} events of 1 kB`,
        },
        { id: 'f2.p50@500', what: 'one durable, signing hop at 500/s, median', value: p50, unit: 'ms' },
        { id: 'f2.p99@500', what: 'one durable, signing hop at 500/s, p99', value: p99, unit: 'ms' },
        ...uses,
      ];
    }),
  );
}
