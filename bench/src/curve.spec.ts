import { expect, test } from 'vitest';
import { changeOf, curveLines, curveOf, withLargest } from './curve.js';

const figure = (id: string, value: number) => ({ id, what: `the ${id}`, unit: 'ms', value });

test('figures of the same id become one row, in the order in which they first came, with a hole where one is missing', () => {
  const curve = curveOf('costs', [
    { name: '300', figures: [figure('cpu', 10), figure('memory', 5)] },
    { name: '1,000', figures: [figure('statement', 2), figure('cpu', 11)] },
  ]);
  expect(curve.parts).toEqual(['300', '1,000']);
  expect(curve.rows.map(({ id, values }) => [id, values])).toEqual([
    ['cpu', [10, 11]],
    ['memory', [5, null]],
    ['statement', [null, 2]],
  ]);
});

test('of chosen rows only the largest at the end are shown, behind all others', () => {
  const ids = (last: readonly (readonly [string, number])[]) =>
    withLargest(
      curveOf('sizes', [{ name: 'end', figures: last.map(([id, value]) => figure(id, value)) }]),
      ({ id }) => id.startsWith('table'),
      2,
    ).rows.map(({ id }) => id);
  expect(
    ids([
      ['table a', 1],
      ['cpu', 9],
      ['table b', 3],
      ['table c', 2],
    ]),
  ).toEqual(['cpu', 'table b', 'table c']);
});

test('a figure grows or falls only by more than a tenth from its first value to its last', () => {
  expect(changeOf([100, 500, 109])).toEqual({ ratio: 1.09, text: 'flat' });
  expect(changeOf([100, 111])).toEqual({ ratio: 1.11, text: 'grows' });
  expect(changeOf([100, 89])).toEqual({ ratio: 0.89, text: 'falls' });
});

test('there is no change of one value, of missing ones, and none from nothing', () => {
  expect(changeOf([1])).toBeUndefined();
  expect(changeOf([null, 1])).toBeUndefined();
  expect(changeOf([0, 1])).toBeUndefined();
  expect(changeOf([])).toBeUndefined();
});

test('the lines of a curve have a column for each part, and the change', () => {
  const lines = curveLines(
    curveOf('costs', [
      { name: 'first', figures: [figure('cpu', 10)] },
      { name: 'last', figures: [figure('cpu', 20)] },
    ]),
  );
  expect(lines.join('\n')).toMatch(
    /^costs\nid +what +first +last +ratio\n.*\ncpu +the cpu +10 ms +20 ms +2\.00 × +grows$/,
  );
});
