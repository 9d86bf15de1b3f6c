import type { Bench, Figure } from '../figure.js';
import { withServers } from '../servers.js';
import { latenciesAt, rateThrough, withWorkers } from './chain.js';
import type { Load } from './load.js';
import type { Meter } from './meter.js';
import type { Hop } from './plain-hop.js';
import { useOf } from './use.js';

/** As many as ours from a signal to its settlement: ingestion, orchestrator, agent, validator, executor. */
const hops = 5;

/** F1: a chain of plain hops. */
export async function measureF1(bench: Bench): Promise<Figure[]> {
  return withServers(bench, (servers) =>
    withWorkers(bench, async (start) => {
      const { access, topics } = servers;
      const names = Array.from({ length: hops + 1 }, (_, n) => `chain-${n}`);
      const [first = '', last = ''] = [names[0], names.at(-1)];
      await topics(...names);
      const load = start<Load>(new URL('load.js', import.meta.url));
      const meter = start<Meter>(new URL('meter.js', import.meta.url));
      const workers = Array.from({ length: hops }, () => start<Hop>(new URL('plain-hop.js', import.meta.url)));
      await Promise.all([
        load.ask('connect', { access, topic: first }),
        meter.ask('connect', { access, topic: last }),
        ...workers.map((hop, n) => hop.ask('run', { access, from: names[n] ?? '', to: names[n + 1] ?? '' })),
      ]);
      const chain = { load, meter, first: workers[0] as (typeof workers)[number] };

      bench.log('f1: warming up');
      await rateThrough(bench, chain, 'warm-up', bench.quick ? 5_000 : 40_000);
      const count = bench.quick ? 10_000 : 100_000;
      bench.log(`f1: ${count} events at once`);
      const { result: rate, figures: uses } = await useOf(
        'f1',
        servers,
        workers.map(({ pid }) => pid),
        count,
        () => rateThrough(bench, chain, 'rate', count),
      );
      const figures: Figure[] = [
        {
          id: 'f1.rate',
          what: `${hops} plain hops, sustained`,
          value: rate,
          unit: '/s',
          note: `a backlog of ${count} events of 1 kB`,
        },
      ];
      for (const perSecond of [10, 50, 200]) {
        bench.log(`f1: ${perSecond} events a second`);
        const { p50, p99 } = await latenciesAt(bench, chain, { rate: perSecond, seconds: bench.quick ? 3 : 20 });
        figures.push(
          { id: `f1.p50@${perSecond}`, what: `${hops} plain hops at ${perSecond}/s, median`, value: p50, unit: 'ms' },
          { id: `f1.p99@${perSecond}`, what: `${hops} plain hops at ${perSecond}/s, p99`, value: p99, unit: 'ms' },
        );
      }
      return [...figures, ...uses];
    }),
  );
}
