import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { bearer, People, personOf } from './people.js';

const sha256 = (token: string) => createHash('sha256').update(token).digest('hex');
const people = People.parse([
  { sha256: sha256('one'), person: 'lea', roles: ['reviewer'] },
  { sha256: sha256('two'), person: 'tom', roles: ['viewer', 'operator'] },
]);

test('a token belongs to the person whose hash it has, and to nobody else', () => {
  expect(personOf(people, 'two')?.person).toBe('tom');
  expect(personOf(people, 'three')).toBeUndefined();
  expect(personOf(people, sha256('one'))).toBeUndefined();
});

test('only a bearer token is taken from the header', () => {
  expect(bearer('Bearer abc')).toBe('abc');
  expect(bearer('bearer   abc')).toBe('abc');
  expect(bearer('Basic abc')).toBeUndefined();
  expect(bearer('Bearer two words')).toBeUndefined();
  expect(bearer(undefined)).toBeUndefined();
});

test('a file of people with a role that does not exist is not accepted', () => {
  expect(People.safeParse([{ sha256: sha256('one'), person: 'lea', roles: ['root'] }]).success).toBe(false);
});
