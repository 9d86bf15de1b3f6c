import { expect, test } from 'vitest';
import { mostLooked, onlyOne, rangeOf } from './ids.js';

const id = (beginning: string) => `${beginning}6c1e-0000-5000-8000-000000000001`.slice(-36);

test('the ids with one beginning are a range, whatever its length and its case', () => {
  expect(rangeOf('3F2A')).toEqual({
    first: '3f2a0000-0000-0000-0000-000000000000',
    last: '3f2affff-ffff-ffff-ffff-ffffffffffff',
  });
  expect(rangeOf('3f2a6c1e-00')).toEqual({
    first: '3f2a6c1e-0000-0000-0000-000000000000',
    last: '3f2a6c1e-00ff-ffff-ffff-ffffffffffff',
  });
  expect(rangeOf(id('3f2a'))).toEqual({ first: id('3f2a'), last: id('3f2a') });
});

test.each(['r-1', '3f2a6c1e00', '3f2a-', 'ffff’', '3f2a6c1e-0000-5000-8000-000000000001f', 'x', '%'])(
  'no id begins with %j',
  (begins) => {
    expect(rangeOf(begins)).toBeUndefined();
  },
);

test('the only one that fits is found, however often it comes and whatever else begins so', () => {
  const candidates = [
    { id: id('3f2a'), fits: true },
    { id: id('3f2a'), fits: true },
    { id: id('3f2b'), fits: false },
  ];
  expect(onlyOne('review', '3f2', candidates)).toEqual({ ok: true, id: id('3f2a') });
});

test.each([
  ['several', [id('3f2a'), id('3f2b')].map((each) => ({ id: each, fits: true })), 400, 'more than one open review'],
  ['none that fits', [{ id: id('3f2a'), fits: false }], 404, 'no open review begins with 3f2'],
  ['none at all', [], 404, 'no open review begins with 3f2'],
  [
    'as many as are looked at',
    Array.from({ length: mostLooked }, () => ({ id: id('3f2a'), fits: true })),
    400,
    'too many ids begin with 3f2',
  ],
])('of %s it is told what to do', (_, candidates, status, detail) => {
  expect(onlyOne('review', '3f2', candidates)).toMatchObject({
    ok: false,
    problem: { status, detail: expect.stringContaining(detail), field: 'begins' },
  });
});
