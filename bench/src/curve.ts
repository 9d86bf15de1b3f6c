import type { Figure } from './figure.js';
import { quantity, tableOf } from './report.js';

/** How figures change during a run: a value for each part of the run, the earliest first. */
export interface Curve {
  readonly title: string;
  readonly parts: readonly string[];
  readonly rows: readonly CurveRow[];
}

export type CurveFigure = Pick<Figure, 'id' | 'what' | 'unit' | 'value'>;

export interface CurveRow extends Omit<CurveFigure, 'value'> {
  /** Null where a part has no value. */
  readonly values: readonly (number | null)[];
}

/** What a measurement found, as numbers of the whole run and as curves. */
export interface Measured {
  readonly figures: readonly Figure[];
  readonly curves: readonly Curve[];
}

export interface Part {
  readonly name: string;
  readonly figures: readonly CurveFigure[];
}

/** Puts the figures of each part beside those of the other parts. */
export function curveOf(title: string, parts: readonly Part[]): Curve {
  const named = new Map(parts.flatMap(({ figures }) => figures).map((figure) => [figure.id, figure]));
  const values = parts.map(({ figures }) => new Map(figures.map(({ id, value }) => [id, value])));
  return {
    title,
    parts: parts.map(({ name }) => name),
    rows: [...named.values()].map(({ id, what, unit }) => ({
      id,
      what,
      unit,
      values: values.map((part) => part.get(id) ?? null),
    })),
  };
}

/** The curve with only those of its chosen rows whose last value is largest, the largest first and behind all others. */
export function withLargest(curve: Curve, isChosen: (row: CurveRow) => boolean, most: number): Curve {
  const last = ({ values }: CurveRow): number => values.at(-1) ?? 0;
  const chosen = curve.rows.filter(isChosen).sort((a, b) => last(b) - last(a));
  return { ...curve, rows: [...curve.rows.filter((row) => !isChosen(row)), ...chosen.slice(0, most)] };
}

/** A smaller change counts as none, because two equal runs differ as much. */
const flatWithin = 1.1;

/** The last value divided by the first one. Undefined if one of the two is missing, or if the first is not above zero. */
export function changeOf(
  values: CurveRow['values'],
): { readonly ratio: number; readonly text: 'flat' | 'grows' | 'falls' } | undefined {
  const first = values[0];
  const last = values.at(-1);
  if (values.length < 2 || typeof first !== 'number' || typeof last !== 'number' || first <= 0) return undefined;
  const ratio = last / first;
  return { ratio, text: ratio > flatWithin ? 'grows' : ratio < 1 / flatWithin ? 'falls' : 'flat' };
}

/** The curve as a person reads it. */
export function curveLines({ title, parts, rows }: Curve): string[] {
  const cell = (row: CurveRow, part: number): string => {
    const value = row.values[part];
    return typeof value === 'number' ? `${quantity(value)} ${row.unit}` : '';
  };
  const columns = [
    { title: 'id', text: (row: CurveRow) => row.id },
    { title: 'what', text: (row: CurveRow) => row.what },
    ...parts.map((name, part) => ({ title: name, right: true as const, text: (row: CurveRow) => cell(row, part) })),
    {
      title: 'ratio',
      right: true as const,
      text: ({ values }: CurveRow) => {
        const change = changeOf(values);
        return change ? `${change.ratio.toFixed(2)} ×` : '';
      },
    },
    { title: '', text: ({ values }: CurveRow) => changeOf(values)?.text ?? '' },
  ];
  return [title, ...tableOf(columns, rows)];
}
