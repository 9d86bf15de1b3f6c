import { expect, test } from 'vitest';
import { identify } from './identify.js';

const nobody = new Map<string, string>();

test('an unknown person begins under a fresh id, known by all its identities', () => {
  expect(identify([['ref:1', 'email:a']], nobody, ['p0'])).toEqual({
    persons: [['p0']],
    links: new Map([
      ['ref:1', 'p0'],
      ['email:a', 'p0'],
    ]),
    joins: new Map(),
  });
});

test('one person in several signals of a batch is one contact', () => {
  const { persons, links } = identify([['email:a'], ['ref:1', 'email:a'], ['ref:1']], nobody, ['p0', 'p1', 'p2']);
  expect(persons).toEqual([['p0'], ['p0'], ['p0']]);
  expect([...links]).toEqual([
    ['email:a', 'p0'],
    ['ref:1', 'p0'],
  ]);
});

test('an identity seen for the first time joins the contact of the other', () => {
  const { persons, links } = identify([['ref:1', 'email:new']], new Map([['ref:1', 'known']]), ['p0']);
  expect(persons).toEqual([['known']]);
  expect([...links]).toEqual([['email:new', 'known']]);
});

test('identities of two contacts give both, the reference first, and link nothing', () => {
  const known = new Map([
    ['ref:1', 'one'],
    ['email:a', 'other'],
  ]);
  expect(identify([['ref:1', 'email:a']], known, ['p0'])).toEqual({
    persons: [['one', 'other']],
    links: new Map(),
    joins: new Map(),
  });
});

test('a signal that names nobody has no person', () => {
  expect(identify([[]], nobody, ['p0'])).toEqual({ persons: [[]], links: new Map(), joins: new Map() });
});

test('a claim that may join joins the contact of the address into that of the reference, and all claims behind it find one contact', () => {
  const known = new Map([
    ['ref:1', 'one'],
    ['email:a', 'other'],
    ['email:b', 'third'],
  ]);
  const claims = [['email:a'], ['ref:1', 'email:a'], ['email:a'], ['ref:9', 'email:a'], ['ref:1', 'email:b']];
  const mayJoin = (claim: number, id: string) => [1, 4].includes(claim) && ['other', 'third'].includes(id);
  expect(identify(claims, known, [], mayJoin)).toEqual({
    persons: [['other'], ['one'], ['one'], ['one'], ['one']],
    links: new Map([['ref:9', 'one']]),
    joins: new Map([
      [1, 'other'],
      [4, 'third'],
    ]),
  });
});

test('a claim joins no contact that a claim before it gave a reference', () => {
  const known = new Map([
    ['ref:1', 'one'],
    ['email:a', 'other'],
  ]);
  const { persons, joins } = identify(
    [
      ['ref:9', 'email:a'],
      ['ref:1', 'email:a'],
    ],
    known,
    [],
    () => true,
  );
  expect([persons, joins.size]).toEqual([[['other'], ['one', 'other']], 0]);
});
