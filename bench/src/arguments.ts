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
  f: 'processor time and bytes per executed action, memory of each process',
  g: "the console's pages in a browser, with 100,000 actions in its tables",
} as const;

export type Measurement = keyof typeof measurements;

export interface Arguments {
  readonly json: boolean;
  readonly quick: boolean;
  readonly only: ReadonlySet<Measurement>;
}

export const help = `npm run bench [-- options]    measures the floors, then the whole system, on this machine

  --only <ids>  only these, separated by commas; a ratio needs its floor in the same run
  --quick       a tenth of the work, in about two minutes: shows that it runs; its figures are not to be quoted
  --json        JSON on standard output in place of the table
  --help        this text

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
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return { json: values.json, quick: values.quick, only: chosen(values.only) };
}

function chosen(only: string | undefined): ReadonlySet<Measurement> {
  const all = Object.keys(measurements) as Measurement[];
  if (only === undefined) return new Set(all);
  const asked = only.split(',').map((id) => id.trim().toLowerCase());
  const unknown = asked.find((id) => !all.some((known) => known === id));
  if (unknown !== undefined) throw new Error(`--only: there is no measurement "${unknown}", only ${all.join(', ')}`);
  return new Set(all.filter((id) => asked.includes(id)));
}
