import { expect, test } from 'vitest';
import { type Content, mend, shownAfter } from './own-truth.js';

const content = (version: number, at: number, hash = version): Content => ({ version, at, hash });
const shownBy = (...records: Content[]) =>
  records.reduce((before, record) => shownAfter(before, record), shownAfter(undefined, records[0] as Content));

test.each([
  ['the table has what was published last', content(3, 30), [], shownBy(content(2, 20), content(3, 30))],
  ['the table is ahead of its topic', content(4, 40), [], shownBy(content(3, 30))],
])('%s: nothing is done', (_what, row, rivals, shown) => {
  expect(mend(row, rivals, shown)).toEqual({ does: 'nothing' });
});

test.each([
  ['older', content(3, 30)],
  ['empty', undefined],
])('a table that is %s takes over what was published last', (_what, row) => {
  expect(mend(row, [content(4, 40), content(5, 50)], shownBy(content(4, 40), content(5, 50)))).toEqual({
    does: 'adopt',
    content: content(5, 50),
  });
});

test('a change that was made under a version below one that was given out is the truth, and is said again above both', () => {
  const [lost, late] = [content(5, 50), content(4, 60)];
  expect(mend(late, [lost], shownBy(lost, late))).toEqual({ does: 'raise', content: 'table', above: 5 });
  // The table does not have it either: it was put back once more.
  expect(mend(content(3, 30), [lost, late], shownBy(lost, late))).toEqual({ does: 'raise', content: late, above: 5 });
});

test('a version that was given out twice is raised, whichever content came first and whichever is at hand', () => {
  const [first, second] = [content(4, 40, 1), content(4, 60, 2)];
  expect(shownBy(first, second)).toMatchObject({ version: 4, hash: null });
  expect(mend(second, [first], shownBy(first, second))).toEqual({ does: 'raise', content: 'table', above: 4 });
  expect(mend(second, [], shownBy(first))).toEqual({ does: 'raise', content: 'table', above: 4 });
  expect(mend(content(3, 30), [first, second], shownBy(first, second))).toEqual({
    does: 'raise',
    content: second,
    above: 4,
  });
  expect(mend(content(5, 60), [], shownBy(first, second))).toEqual({ does: 'nothing' });
});

test('of what nobody can read the version counts', () => {
  const unread = content(7, 0);
  expect(mend(content(3, 30), [], shownBy(unread))).toEqual({ does: 'raise', content: 'table', above: 7 });
  expect(mend(undefined, [], shownBy(unread))).toEqual({ does: 'reserve', above: 7 });
});
