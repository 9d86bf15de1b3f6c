import { setTimeout as sleep } from 'node:timers/promises';
import type { Growth } from '../arguments.js';
import { type Curve, type CurveFigure, curveOf, type Measured, type Part, withLargest } from '../curve.js';
import type { Bench } from '../figure.js';
import { percentile } from '../percentile.js';
import { quantity } from '../report.js';
import type { Build } from '../system/build.js';
import { costsOf, memoryOf } from '../system/costs.js';
import { paced, saturated } from '../system/flow.js';
import { type System, startSystem } from '../system/installation.js';
import { type Counted, statementsDuring } from '../system/statements.js';
import { assertRoom, bySchema, tableSizes } from '../system/tables.js';
import { usage } from '../system/usage.js';
import type { Meter } from '../system/watching.js';
import { timeLeft } from '../time-left.js';

/** So many actions are driven through together; all of them are under way at a time. */
const together = 10_000;
/** The load under which the cost of an action is measured. */
const perSecond = 10;
const secondsOf = (quick: boolean): number => (quick ? 10 : 60);
/** Work that remains after a fast load: Postgres writes its pages and analyzes its tables. */
const settleMs = 10_000;
/** The statements and the tables of the last mark that are shown. */
const shownStatements = 15;
const shownTables = 12;

/** How many actions are on record, and the rate at which the last of them were done. */
interface Progress {
  done: number;
  lastRate: number;
}

/** The cost of an action with more and more actions on record, each of them a real one. */
export async function measureGrowth(bench: Bench, build: Build, { marks }: Growth): Promise<Measured> {
  const costs: Part[] = [];
  const statements: Part[] = [];
  const last = marks.at(-1) ?? 0;
  const system = await startSystem(bench, build);
  try {
    const meter = await system.meter([build.settledTopic]);
    const empty = await sizesOf(system);
    const began = performance.now();
    const progress: Progress = { done: 0, lastRate: 0 };
    for (const mark of marks) {
      while (progress.done < mark) {
        const count = Math.min(together, mark - progress.done);
        await assertRoom(system, progress.done === 0 ? 0 : ((await bytesIn(system)) * count) / progress.done);
        await drive(bench, system, meter, progress, count);
        bench.log(
          `growth: ${progress.done} of ${last} actions, the last at ${quantity(progress.lastRate)}/s, ` +
            timeLeft(progress.done, last, performance.now() - began),
        );
      }
      const name = quantity(progress.done);
      const sizes = perAction(await sizesOf(system), empty, progress.done);
      const measured = await measureMark(bench, system, meter, progress);
      costs.push({ name, figures: [...measured.costs, ...sizes] });
      statements.push({ name, figures: measured.statements });
    }
  } catch (error) {
    // The marks that were reached are worth as much as before. Ctrl-C is no fault.
    if (!bench.signal.aborted) bench.wrong(`growth: ${(error as Error).message}`);
  } finally {
    await system.stop();
  }
  return { figures: [], curves: costs.length === 0 ? [] : [costCurve(costs), statementCurve(statements)] };
}

/** This many more people become known and lead to an action each, as fast as it goes. */
async function drive(bench: Bench, system: System, meter: Meter, progress: Progress, count: number): Promise<void> {
  const [from, to] = [progress.done, progress.done + count];
  await system.build.knowPeople(system, from, to);
  const tookMs = await saturated(bench, system, meter, { play: 'bench-b', from, to, inFlight: together });
  await meter.take();
  progress.lastRate = (count * 1000) / tookMs;
  progress.done = to;
  await system.build.atRest(system);
}

/** What an action costs now, at a steady load, as (f) measures it. */
async function measureMark(
  bench: Bench,
  system: System,
  meter: Meter,
  progress: Progress,
): Promise<{ readonly costs: CurveFigure[]; readonly statements: CurveFigure[] }> {
  const seconds = secondsOf(bench.quick);
  const { done, lastRate } = progress;
  const actions = perSecond * seconds;
  const run = { play: 'bench-b', from: done, to: done + actions, perSecond } as const;
  await system.build.knowPeople(system, run.from, run.to);
  await sleep(settleMs, undefined, { signal: bench.signal });
  bench.log(`growth: with ${done} actions on record, ${perSecond}/s for ${seconds} s`);
  const before = await usage(system);
  const load = (): Promise<number[]> => paced(bench, system, meter, run);
  const { result: times, rows } = system.countsStatements
    ? await statementsDuring(system.query, load)
    : { result: await load(), rows: [] };
  const after = await usage(system);
  await meter.take();
  progress.done = run.to;
  await system.build.atRest(system);
  const used = [...costsOf({ load: '10', before, after, actions }), ...memoryOf(after, '10', `at ${perSecond}/s`)];
  return {
    costs: [
      { id: 'rate', what: 'the last actions before, as fast as it goes', unit: '/s', value: lastRate },
      { id: 'p50', what: `signal to settlement at ${perSecond}/s, median`, unit: 'ms', value: percentile(times, 50) },
      { id: 'p99', what: 'the same, 99th percentile', unit: 'ms', value: percentile(times, 99) },
      ...used.map(({ id, what, unit, value }) => ({
        id: id.replace(/^f\.|@10$/g, ''),
        what: what.replace(/( per executed action)? at 10\/s$/, ''),
        unit,
        value,
      })),
    ],
    statements: rows.map((row) => statementFigure(row, actions)),
  };
}

const bytesIn = async (system: System): Promise<number> => {
  const { topicBytes = 0, databaseBytes } = await usage(system);
  return topicBytes + databaseBytes;
};

/** How large topics and tables are, and how many rows they have. */
async function sizesOf(system: System): Promise<CurveFigure[]> {
  const tables = await tableSizes(system.query, true);
  const { topicBytes = 0, databaseBytes } = await usage(system);
  const size = (id: string, what: string, unit: string, value: number): CurveFigure => {
    return { id: `size.${id}`, what: `${what}, per action on record`, unit, value };
  };
  return [
    size('topics', 'topics', 'B', topicBytes),
    size('database', 'database', 'B', databaseBytes),
    ...[...bySchema(tables)].flatMap(([schema, { bytes, rows = 0 }]) => [
      size(schema, `tables of ${schema}`, 'B', bytes),
      size(`${schema}.rows`, `rows of ${schema}`, '', rows),
    ]),
    ...tables.map(({ schema, table, bytes }) => size(`${schema}/${table}`, `table ${table} of ${schema}`, 'B', bytes)),
  ];
}

/** What an empty installation has does not count. */
function perAction(sizes: readonly CurveFigure[], empty: readonly CurveFigure[], actions: number): CurveFigure[] {
  const before = new Map(empty.map(({ id, value }) => [id, value]));
  return sizes.map((size) => ({ ...size, value: (size.value - (before.get(size.id) ?? 0)) / actions }));
}

const statementFigure = ({ login, id, text, runMs, planMs, calls }: Counted, actions: number): CurveFigure => ({
  id: `${login} ${id}`,
  what: `${quantity(calls / actions)} × ${text.replace(/\s+/g, ' ').slice(0, 90)}`,
  unit: 'ms',
  value: (runMs + planMs) / actions,
});

/** Of the tables, only those that are largest at the end. */
const costCurve = (parts: readonly Part[]): Curve =>
  withLargest(
    curveOf(`The cost of an action at ${perSecond}/s, by the number of actions on record`, parts),
    ({ id }) => id.startsWith('size.') && id.includes('/'),
    shownTables,
  );

const statementCurve = (parts: readonly Part[]): Curve =>
  withLargest(
    curveOf('The slowest statements: time in the database per action, at the last mark the slowest first', parts),
    () => true,
    shownStatements,
  );
