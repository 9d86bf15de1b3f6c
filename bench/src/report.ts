import type { Figure } from './figure.js';
import type { Machine } from './machine.js';

/** A figure beside its floor and its aim. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly floor?: { readonly id: string; readonly value: number };
  /** The value in floors: above 1 is faster for a rate, slower for a time. */
  readonly ratio?: number;
  /** `met` is missing if the aim needs a floor that was not measured. */
  readonly aim?: { readonly text: string; readonly met?: boolean };
  readonly note?: string;
}

/** A whole run. */
export interface Report {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly seconds: number;
  readonly figures: readonly Row[];
  /** What could not be measured, and counts that were wrong. */
  readonly problems: readonly string[];
}

/** Puts each figure beside its floor, if the floor was measured. */
export function rowsOf(figures: readonly Figure[]): Row[] {
  const values = new Map(figures.map(({ id, value }) => [id, value]));
  return figures.map(({ id, what, value, unit, floor, aim, note }) => {
    const below = floor === undefined ? undefined : values.get(floor);
    const met = aim?.met(value, below);
    return {
      id,
      what,
      value,
      unit,
      ...(floor !== undefined && below !== undefined && { floor: { id: floor, value: below }, ratio: value / below }),
      ...(aim && { aim: { text: aim.text, ...(met !== undefined && { met }) } }),
      ...(note !== undefined && { note }),
    };
  });
}

/** A column of a table. */
export interface Column<T> {
  readonly title: string;
  readonly right?: true;
  text(row: T): string;
}

const cells: readonly Column<Row>[] = [
  { title: 'id', text: (row) => row.id },
  { title: 'what', text: (row) => row.what },
  { title: 'figure', right: true, text: (row) => `${quantity(row.value)} ${row.unit}` },
  { title: 'floor', right: true, text: ({ floor, unit }) => (floor ? `${quantity(floor.value)} ${unit}` : '') },
  { title: 'ratio', right: true, text: ({ ratio }) => (ratio === undefined ? '' : `${ratio.toFixed(2)} ×`) },
  { title: 'aim', text: ({ aim }) => aim?.text ?? '' },
  { title: '', text: ({ aim }) => (aim ? verdict(aim.met) : '') },
];

/** The report as a person reads it. */
export function table({ machine, quick, seconds, figures, problems }: Report): string {
  return [
    ...(quick ? ['A quick run: these figures show that it runs and are not to be quoted.', ''] : []),
    ...(figures.length > 0 ? tableOf(cells, figures) : []),
    ...figures.flatMap(({ id, note }) => (note === undefined ? [] : [`${id}: ${note}`])),
    '',
    machineLine(machine, seconds),
    ...problems.map((problem) => `PROBLEM: ${problem}`),
    '',
  ].join('\n');
}

/** The lines of a table, its columns aligned. */
export function tableOf<T>(columns: readonly Column<T>[], rows: readonly T[]): string[] {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ text }) => text(row)))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? '')].length)));
  const pad = (line: readonly string[]): string =>
    columns
      .map(({ right }, column) => {
        const text = line[column] ?? '';
        const space = ' '.repeat((widths[column] ?? 0) - [...text].length);
        return right ? space + text : text + space;
      })
      .join('  ')
      .trimEnd();
  const [head = [], ...rest] = lines;
  return [pad(head), pad(widths.map((width) => '-'.repeat(width))), ...rest.map(pad)];
}

/** The conditions of the measurement, machine and versions, in one line. */
export function machineLine(machine: Machine, seconds: number): string {
  const { processor, cores, memoryGb, node, kafka, postgres, commit, loadBefore, date } = machine;
  return [
    `${processor}, ${cores} cores, ${memoryGb} GB`,
    `Node ${node}, Kafka ${kafka}, Postgres ${postgres}`,
    `commit ${commit}`,
    `load before ${loadBefore}`,
    `${date}, ${Math.round(seconds)} s`,
  ].join('; ');
}

/** Three significant digits, thousands in groups: 0.0123, 1.23, 45.6, 12,345. */
export function quantity(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : value === 0 ? 0 : 2 - Math.floor(Math.log10(Math.abs(value)));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 20) });
}

function verdict(met: boolean | undefined): string {
  if (met === undefined) return 'floor not measured';
  return met ? 'met' : 'MISSED';
}
