import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from '@countersign/local';
import type { Bench, Figure } from '../figure.js';
import { eachOnce, verdictTopics } from './ends.js';
import type { System } from './installation.js';
import { type Known, people } from './people.js';
import { assignTasks, enrolment, proposer } from './proposals.js';
import type { BenchSequence } from './settings.js';

export const peopleForVerdicts = (quick: boolean): number => (quick ? 1_000 : 10_000);

/** a: proposals that wait for the validator, to its verdicts. */
export async function measureVerdicts(bench: Bench, system: System): Promise<Figure[]> {
  const known = await people(system, 0, peopleForVerdicts(bench.quick));
  await assignTasks(system, known);
  const together = await judged(bench, system, known, 'bench-a', []);
  await executed(system, known.length);
  const others = [...system.running.services.keys()].filter((name) => name !== 'guardrail-validator');
  const alone = await judged(bench, system, known, 'bench-a-alone', others);
  const note = `${known.length} proposals waited; from a quarter of the verdicts to the last, as the validator had just started`;
  return [
    {
      id: 'a.rate',
      what: 'proposals judged and signed, everything running',
      value: together,
      unit: '/s',
      floor: 'f2.rate',
      aim: { text: 'half of F2', met: (value, floor) => (floor === undefined ? undefined : value >= floor / 2) },
      note,
    },
    {
      id: 'a.rate.alone',
      what: 'the same with the other services stopped',
      value: alone,
      unit: '/s',
      floor: 'f2.rate',
    },
  ];
}

/** Verdicts a second of a backlog, without the services that are `stopped` meanwhile. */
async function judged(
  bench: Bench,
  system: System,
  known: readonly Known[],
  sequence: BenchSequence,
  stopped: readonly Program[],
): Promise<number> {
  bench.log(`a: ${known.length} proposals${stopped.length > 0 ? ', the other services stopped' : ''}`);
  const chain = ({ n }: Known): string => `${sequence}/${n}`;
  const out = await proposer(system);
  const meter = await system.meter(verdictTopics);
  try {
    await system.stopService('guardrail-validator');
    const at = new Date().toISOString();
    await out.publish(known.map((person) => enrolment(person, sequence, chain(person), at)));
    await Promise.all(stopped.map((name) => system.stopService(name)));
    const base = await steady(meter.ends);
    await system.startService('guardrail-validator');
    await system.profiled(stopped.length > 0 ? 'a.alone' : 'a', () =>
      system.until('verdicts', async () => (meter.ends() - base >= known.length ? true : undefined), {
        everyMs: 20,
        forMs: 600_000,
      }),
    );
    await sleep(500);
    const chains = await meter.report(`${sequence}/`);
    eachOnce(bench, stopped.length > 0 ? 'a.alone' : 'a', known.map(chain), chains, 'ActionApproved');
    const times = chains.map((chained) => chained.at).sort((a, b) => a - b);
    const from = Math.floor(times.length / 4);
    const tookMs = (times.at(-1) ?? 0) - (times[from] ?? 0);
    return ((times.length - 1 - from) * 1000) / tookMs;
  } finally {
    await meter.stop();
    await out.close();
  }
}

/** What stood on the topics before has been read, once the count stays the same. */
async function steady(count: () => number): Promise<number> {
  for (let before = -1; ; ) {
    const now = count();
    if (now === before) return now;
    before = now;
    await sleep(500);
  }
}

/** Everything that was approved is carried out, once each. */
async function executed(system: System, count: number): Promise<void> {
  await system.until(
    'approved actions to be executed',
    async () => {
      const [row] = await system.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM sandbox_systems.enrolments WHERE sequence_id = 'bench-a'`,
      );
      return (row?.n ?? 0) >= count ? true : undefined;
    },
    { everyMs: 500, forMs: 600_000 },
  );
}
