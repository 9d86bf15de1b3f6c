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

export type Measurement = keyof typeof measurements;

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
}

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

Measurements
${Object.entries(measurements)
  .map(([id, what]) => `  ${id.padEnd(4)}${what}`)
  .join('\n')}

It starts a broker, a database and services of its own on free ports, and removes them. Let the machine be quiet meanwhile.
Exit status 0: measured, aims met or missed. 1: something could not be measured, or something was lost, done twice, or done
after a stop. 2: wrong options. 130: interrupted.

Examples
  npm run bench
  npm run bench -- --quick
  npm run bench -- --only f2,a
  npm run bench -- --only f --loads rest,10 --against ../before
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
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { json, quick, build, against } = values;
  if (build !== undefined && against !== undefined) throw new Error('--build and --against: only one of them');
  if (values.pairs !== undefined && against === undefined) throw new Error('--pairs: needs --against');
  const other = build ?? against;
  if (other === '') throw new Error('--build and --against need a folder');
  const only = chosen('--only', 'measurement', values.only, other === undefined ? known : ofAnyBuild);
  return {
    json,
    quick,
    only,
    loads: chosen('--loads', 'load', values.loads, loads),
    ...(build !== undefined && { build }),
    ...(against !== undefined && { against: { folder: against, pairs: pairsOf(values.pairs ?? '3') } }),
  };
}

const known = Object.keys(measurements) as Measurement[];

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

function pairsOf(text: string): number {
  const pairs = Number(text);
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs: "${text}" is no number of pairs`);
  return pairs;
}
