import { expect, test } from 'vitest';
import { type FigureKind, formOf, isMarkOf, NumberStyle } from './figures.js';

/** What a cell is, in a column that also holds the others. */
const read = (
  text: string,
  others: readonly string[] = [],
  kind: FigureKind = 'decimal',
  file: readonly string[] = [],
) => {
  const style = new NumberStyle({ column: kind, other: 'decimal' });
  for (const other of [text, ...others]) style.learn('column', other);
  for (const other of file) style.learn('other', other);
  const figure = style.read('column', text);
  return figure.as === 'number' ? figure.decimal : figure.as;
};

test.each([
  ['1049', '1049'],
  ['1,049.50', '1049.50'],
  ['1.049,50', '1049.50'],
  ['1 049,50', '1049.50'],
  ['1\u00a0049', '1049'],
  ['1\u202f049\u202f000', '1049000'],
  ["1'049'000.5", '1049000.5'],
  ['1’049', '1049'],
  ['1,049,000', '1049000'],
  ['1.049.000', '1049000'],
  ['12,34,567.8', '1234567.8'],
  ['0,049', '0.049'],
  ['12,5', '12.5'],
  ['1049.123', '1049.123'],
  ['.5', '0.5'],
  ['5.', '5'],
  ['-5', '-5'],
  ['−5', '-5'],
  ['5-', '-5'],
  ['(1,049.50)', '-1049.50'],
  ['$1,049.50', '1049.50'],
  ['-$5', '-5'],
  ['$-5', '-5'],
  ['($5)', '-5'],
  ['1.049,50 €', '1049.50'],
  ['USD 5', '5'],
  ['5 kr', '5'],
])('%s is %s by itself', (text, decimal) => {
  expect(read(text)).toBe(decimal);
});

test.each(['--', '-', '—', 'n/a', 'N/A', '#N/A', 'NaN'])('%s says that there is no figure', (text) => {
  expect(read(text)).toBe('none');
});

test.each(['1,049', '1.049', '12.000', '5%'])('%s is not read where nothing shows what the mark divides', (text) => {
  expect(read(text)).toBe('unread');
});

test.each([
  '',
  'much',
  '1e3',
  '1,2,3',
  '1.2.3',
  '1,04,9',
  '12 34',
  '1 049.000 5',
  '1.2K',
  '--5',
  '(-5)',
  '$5 €',
  '٣',
  '5;',
  ',',
])('%s is no number', (text) => {
  expect(read(text)).toBe('unread');
});

test.each([
  ['1,049', ['12.5'], '1049'],
  ['1,049', ['12,5'], '1.049'],
  ['1.049', ['1,049,000'], '1.049'],
  ['1.049', ['1.049.000'], '1049'],
  ['1.049', ['2049'], '1.049'],
  ['1,049', ['12.5', '12,5'], 'unread'],
  ['1,049.5', ['1.049,5'], 'unread'],
])('%s in a column with %o is %s', (text, others, expected) => {
  expect(read(text, others)).toBe(expected);
});

test('a column that shows nothing is read as the rest of the file, where that agrees', () => {
  expect(read('1,049', [], 'decimal', ['12.5'])).toBe('1049');
  expect(read('1,049', [], 'decimal', ['12,5'])).toBe('1.049');
  expect(read('1,049', [], 'decimal', ['12,5', '12.5'])).toBe('unread');
  expect(read('1,049', ['7,5'], 'decimal', ['12.5'])).toBe('1.049');
});

test('what is counted has no decimals, so that its thousands are known', () => {
  expect([read('1,049', [], 'count'), read('1.049', [], 'count')]).toEqual(['1049', '1049']);
  expect([read('1.000', [], 'count'), read('1.000', ['49.0'], 'count')]).toEqual(['unread', '1.000']);
  expect([read('1,049', ['1.049'], 'count'), read('1.5', [], 'count'), read('€5', [], 'count')]).toEqual(
    Array(3).fill('unread'),
  );
});

test.each([
  ['$', 'USD', true],
  ['$', 'AUD', true],
  ['US$', 'USD', true],
  ['A$', 'AUD', true],
  ['eur', 'EUR', true],
  ['kr', 'SEK', true],
  ['€', 'USD', false],
  ['USD', 'AUD', false],
  ['Mio', 'EUR', false],
])('%s beside an amount can mean %s: %s', (mark, currency, expected) => {
  expect(isMarkOf(mark, currency)).toBe(expected);
});

test('the form of a text does not tell it', () => {
  expect(formOf('Jane Döe 1,049')).toBe('a a 9,999');
});
