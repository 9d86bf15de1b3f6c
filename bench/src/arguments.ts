import { parseArgs } from 'node:util';

/** All measurements, in the order in which they run: floors first. */
export const measurements = {
  f1: 'floor: a chain of five plain hops over Kafka',
  f2: 'floor: one durable hop with a transaction per batch and a signature per event',
  f3: 'floor: appending to Postgres with Merkle leaf hashes',
  a: 'proposals to verdicts through the validator',
  b: 'signal to settled action, through everything',
  c: 'appends to the record',
  d: 'countersign stop under load, until the last effect',
  e: 'a withdrawal of consent, until the last message',
  f: 'processor time, transactions, statements and bytes: at rest, and per executed action under each load',
  g: "the console's pages in a browser, with 100,000 actions in its tables",
} as const;

/** Measured only if they are named, because they take hours. */
export const onRequest = {
  long: 'a steady load for two hours, while services, broker and database are killed at random',
  growth: 'the cost of an action with 10,000, 100,000 and 1,000,000 actions on record',
} as const;

export type Measurement = keyof typeof measurements | keyof typeof onRequest;

/** The loads of b and f, in the order in which they run: none, signals a second, and as many as possible. */
export const loads = ['rest', '1', '10', 'full', '50', '200'] as const;
export type Load = (typeof loads)[number];

/** The measurements that do not read the tables of one build. */
const ofAnyBuild: readonly Measurement[] = ['b', 'f'];

export interface Arguments {
  readonly json: boolean;
  readonly quick: boolean;
  readonly only: ReadonlySet<Measurement>;
  readonly loads: ReadonlySet<Load>;
  /** The folder of another build that is measured instead of this one. */
  readonly build?: string;
  /** The folder of another build that is measured alternately with this one, in this many pairs. */
  readonly against?: { readonly folder: string; readonly pairs: number };
  readonly long?: LongRun;
  readonly growth?: Growth;
}

/** How the long run is done. */
export interface LongRun {
  readonly minutes: number;
  /** Signals a second, each of which leads to one action. */
  readonly rate: number;
  /** The mean gap between two kills; 0: nothing is killed. */
  readonly killEveryS: number;
  /** Absent: a new one. */
  readonly seed?: number;
}

/** At how many actions on record their cost is measured, ascending. */
export interface Growth {
  readonly marks: readonly number[];
}

const list = (some: Readonly<Record<string, string>>): string =>
  Object.entries(some)
    .map(([id, what]) => `  ${id.padEnd(8)}${what}`)
    .join('\n');

export const help = `npm run bench [-- options]    measures the floors, then the whole system, on this machine

  --only <ids>        only these, separated by commas; a ratio needs its floor in the same run
  --loads <loads>     only these loads of b and f, separated by commas: ${loads.join(', ')}
  --build <folder>    measures the build in this folder in place of this one: ${ofAnyBuild.join(' and ')} only
  --against <folder>  measures this build and the one in the folder in turn, in pairs, and prints their ratios:
                      ${ofAnyBuild.join(' and ')} only
  --pairs <number>    how many pairs; 3 if it is absent
  --quick             a tenth of the work, in about three minutes: shows that it runs; its figures are not to be quoted
  --json              JSON on standard output in place of the table
  --help              this text

Of long:
  --minutes <number>     how long the load lasts; 120 if it is absent
  --rate <number>        signals a second, each of which leads to one action; 20 if it is absent
  --kill-every <seconds> the mean gap between two kills; 90 if it is absent, 0 kills nothing
  --seed <number>        repeats the kills of another run; every run prints its seed
Of growth:
  --to <numbers>         at how many actions on record the cost is measured: one number, and the powers of ten from
                         10,000 up to it, or several numbers, separated by commas; 1000000 if it is absent

Measurements
${list(measurements)}
Only if they are named with --only
${list(onRequest)}

It starts a broker, a database and services of its own on free ports, and removes them. Let the machine be quiet meanwhile.
Exit status 0: measured, aims met or missed. 1: something could not be measured, something was lost, done twice, or done after a
stop, or an invariant does not hold. 2: wrong options. 130: interrupted; what was measured until then is printed.

Examples
  npm run bench
  npm run bench -- --quick
  npm run bench -- --only f2,a
  npm run bench -- --only f --loads rest,10 --against ../before
  npm run bench -- --only long --minutes 120 --rate 20
  npm run bench -- --only growth --to 100000
  npm run --silent bench -- --json > figures.json
`;

/** What was asked for, or `help`. Throws an Error that says which option is wrong. */
export function readArguments(argv: readonly string[]): Arguments | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      loads: { type: 'string' },
      build: { type: 'string' },
      against: { type: 'string' },
      pairs: { type: 'string' },
      minutes: { type: 'string' },
      rate: { type: 'string' },
      'kill-every': { type: 'string' },
      seed: { type: 'string' },
      to: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { json, quick, build, against } = values;
  if (build !== undefined && against !== undefined) throw new Error('--build and --against: only one of them');
  if (values.pairs !== undefined && against === undefined) throw new Error('--pairs: needs --against');
  const other = build ?? against;
  if (other === '') throw new Error('--build and --against need a folder');
  const only =
    values.only === undefined
      ? new Set(other === undefined ? ordinary : ofAnyBuild)
      : chosen('--only', 'measurement', values.only, other === undefined ? known : ofAnyBuild);
  for (const [id, options] of Object.entries(optionsOf) as [Measurement, readonly (keyof typeof values)[]][]) {
    const stray = only.has(id) ? undefined : options.find((name) => values[name] !== undefined);
    if (stray !== undefined) throw new Error(`--${stray}: needs --only ${id}`);
  }
  return {
    json,
    quick,
    only,
    loads: chosen('--loads', 'load', values.loads, loads),
    ...(build !== undefined && { build }),
    ...(against !== undefined && { against: { folder: against, pairs: whole('--pairs', values.pairs ?? '3') } }),
    ...(only.has('long') && {
      long: {
        minutes: whole('--minutes', values.minutes ?? '120'),
        rate: whole('--rate', values.rate ?? '20'),
        killEveryS: whole('--kill-every', values['kill-every'] ?? '90', 0),
        ...(values.seed !== undefined && { seed: whole('--seed', values.seed, 0) }),
      },
    }),
    ...(only.has('growth') && { growth: { marks: marksOf(values.to ?? '1000000') } }),
  };
}

const optionsOf = { long: ['minutes', 'rate', 'kill-every', 'seed'], growth: ['to'] } as const;
const ordinary = Object.keys(measurements) as Measurement[];
const known = [...ordinary, ...(Object.keys(onRequest) as Measurement[])];

/** The requested items of those that exist, in their order; all if nothing was requested. */
function chosen<T extends string>(
  option: string,
  what: string,
  text: string | undefined,
  all: readonly T[],
): ReadonlySet<T> {
  if (text === undefined) return new Set(all);
  const asked = text.split(',').map((id) => id.trim().toLowerCase());
  const unknown = asked.find((id) => !all.some((name) => name === id));
  if (unknown !== undefined)
    throw new Error(`${option}: there is no ${what} "${unknown}" here, only ${all.join(', ')}`);
  return new Set(all.filter((id) => asked.includes(id)));
}

/** A whole number; none of ours is above 32 bits. */
function whole(option: string, text: string, least = 1): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isInteger(number) || number < least || number >= 2 ** 32)
    throw new Error(`${option}: "${text}" is no whole number from ${least} to 4294967295`);
  return number;
}

/** Several numbers as they are; of one number, also the powers of ten from 10,000 up to it. */
function marksOf(text: string): number[] {
  const marks = text.split(',').map((number) => whole('--to', number));
  if (marks.some((mark, n) => mark <= (marks[n - 1] ?? 0))) throw new Error(`--to: "${text}" is not ascending`);
  const [last = 0] = marks;
  if (marks.length > 1) return marks;
  return [10_000, 100_000, 1_000_000, 10_000_000].filter((mark) => mark < last).concat(last);
}
