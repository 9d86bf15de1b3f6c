import type { CurveFigure, Part } from '../curve.js';
import { percentile } from '../percentile.js';

/** A number that was read during the load. */
export interface Reading extends CurveFigure {
  /** True at this moment, or counted since the start and divided by actions. */
  readonly per: 'moment' | 'action';
}

/** What was read at one moment. */
export interface Sample {
  /** Milliseconds of a clock that is never set. */
  readonly at: number;
  /** Signals settled so far. */
  readonly settled: number;
  readonly readings: readonly Reading[];
}

/** The numbers of the samples at which a run of `last` + 1 samples is cut into thirds. */
export const cutsOf = (last: number): readonly [number, number, number, number] => [
  0,
  Math.round(last / 3),
  Math.round((2 * last) / 3),
  last,
];

/** The thirds of a run, with one figure for each reading. Empty if there are not enough samples. */
export function thirdsOf(samples: readonly Sample[]): Part[] {
  if (samples.length < 4) return [];
  const cuts = cutsOf(samples.length - 1);
  return ['first third', 'second third', 'last third'].map((name, third) => ({
    name,
    figures: figuresOf(samples.slice(cuts[third], (cuts[third + 1] ?? 0) + 1)),
  }));
}

/** The first sample is the one before the first minute. */
function figuresOf(samples: readonly Sample[]): CurveFigure[] {
  const [before, ...minutes] = samples;
  const after = minutes.at(-1);
  if (!before || !after) return [];
  const actions = after.settled - before.settled;
  const rate = (actions * 1000) / (after.at - before.at);
  const from = new Map(before.readings.map(({ id, value }) => [id, value]));
  const moments = new Map<string, Reading & { readonly values: number[] }>();
  for (const reading of minutes.flatMap(({ readings }) => readings)) {
    if (reading.per !== 'moment') continue;
    const values = moments.get(reading.id)?.values ?? [];
    moments.set(reading.id, { ...reading, values: [...values, reading.value] });
  }
  const costs = after.readings.filter(({ id, per }) => per === 'action' && from.has(id) && actions > 0);
  return [
    { id: 'rate', what: 'signals settled', unit: '/s', value: rate },
    ...[...moments.values()].map(({ id, what, unit, values }) => ({ id, what, unit, value: percentile(values, 50) })),
    ...costs.map(({ id, what, unit, value }) => ({ id, what, unit, value: (value - (from.get(id) ?? 0)) / actions })),
  ];
}
