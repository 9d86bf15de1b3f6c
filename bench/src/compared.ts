import type { Machine } from './machine.js';
import { type Column, machineLine, quantity, type Row, tableOf } from './report.js';
import { type Spread, spreadOf } from './spread.js';

/** What two builds measured, one after the other. */
export interface Pair {
  readonly current: readonly Row[];
  readonly other: readonly Row[];
}

/** A figure of both builds over all pairs. `ratio` is current divided by other, pair by pair. */
export interface Compared {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  /** In how many pairs both builds have it. */
  readonly pairs: number;
  readonly current: Spread;
  readonly other: Spread;
  /** Absent if the other build measured only 0. */
  readonly ratio?: Spread;
}

/** A whole comparison. */
export interface Comparison {
  readonly machine: Machine;
  /** The commit of the other build. */
  readonly against: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly figures: readonly Compared[];
  /** All figures of each pair. */
  readonly pairs: readonly Pair[];
  readonly problems: readonly string[];
}

/**
 * Which build is measured first in the n-th pair. They alternate, so that neither always gets the machine in the state that the
 * other left.
 */
export const orderOf = (pair: number): readonly ['current', 'other'] | readonly ['other', 'current'] =>
  pair % 2 === 0 ? ['current', 'other'] : ['other', 'current'];

/** Figures that both builds have in a pair, in the order of the first pair. Figures of only one build are left out. */
export function compared(pairs: readonly Pair[]): Compared[] {
  const rows = new Map<string, Row>();
  const values = new Map<string, { readonly current: number; readonly other: number }[]>();
  for (const { current, other } of pairs) {
    const byId = new Map(other.map((row) => [row.id, row]));
    for (const row of current) {
      const counterpart = byId.get(row.id);
      if (counterpart?.unit !== row.unit) continue;
      if (!rows.has(row.id)) rows.set(row.id, row);
      values.set(row.id, [...(values.get(row.id) ?? []), { current: row.value, other: counterpart.value }]);
    }
  }
  return [...rows.values()].map(({ id, what, unit }) => {
    const both = values.get(id) ?? [];
    const ratios = both.filter(({ other }) => other !== 0).map(({ current, other }) => current / other);
    return {
      id,
      what,
      unit,
      pairs: both.length,
      current: spreadOf(both.map(({ current }) => current)),
      other: spreadOf(both.map(({ other }) => other)),
      ...(ratios.length > 0 && { ratio: spreadOf(ratios) }),
    };
  });
}

const ratio = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(2)} ×`);

/** The comparison as a person reads it. */
export function comparisonTable({ machine, against, quick, seconds, figures, pairs, problems }: Comparison): string {
  const columns: readonly Column<Compared>[] = [
    { title: 'id', text: ({ id }) => id },
    { title: 'what', text: ({ what }) => what },
    { title: machine.commit, right: true, text: ({ current, unit }) => `${quantity(current.median)} ${unit}` },
    { title: against, right: true, text: ({ other, unit }) => `${quantity(other.median)} ${unit}` },
    { title: 'ratio: min', right: true, text: (row) => ratio(row.ratio?.min) },
    { title: 'median', right: true, text: (row) => ratio(row.ratio?.median) },
    { title: 'max', right: true, text: (row) => ratio(row.ratio?.max) },
  ];
  return [
    ...(quick ? ['A quick run: these figures show that it runs and are not to be quoted.', ''] : []),
    ...(figures.length > 0 ? tableOf(columns, figures) : []),
    '',
    `${pairs.length} ${pairs.length === 1 ? 'pair' : 'pairs'}, the builds in turn; figures are medians; a ratio is ${machine.commit} divided by ${against}, of one pair`,
    machineLine(machine, seconds),
    ...problems.map((problem) => `PROBLEM: ${problem}`),
    '',
  ].join('\n');
}
