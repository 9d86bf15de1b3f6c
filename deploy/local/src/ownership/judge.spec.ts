import { expect, test } from 'vitest';
import { type BrokerClaim, type Found, type Own, objections, ownerOf, refusal, unmarked } from './judge.js';

const own: Own = { id: 'own', permitKey: 'key', place: 'host:/srv/own' };
const claim = (id: string, replaces: string | null = null): BrokerClaim => ({ id, place: 'p', at: 't', replaces });
const mark = (id: string, more: object = {}) => ({
  id,
  clusterId: 'cluster',
  permitKey: 'key',
  place: 'host:/srv/other',
  since: '2026-11-01T00:00:00.000Z',
  ...more,
});
const found = (database: Partial<Found['database']> = {}, broker: Partial<Found['broker']> = {}): Found => ({
  database: { at: 'db:5432/x', logins: false, tables: false, knowsUs: false, ...database },
  broker: { at: 'kafka:9092', clusterId: 'cluster', topics: false, knowsUs: false, ...broker },
});
const used = { logins: true, tables: true };

const cases: readonly [string, Found, readonly string[]][] = [
  ['both are new', found(), []],
  ['both are its own', found({ mark: mark('own'), ...used }, { owner: claim('own'), topics: true }), []],
  ['a start was killed after it had marked the database', found({ mark: mark('own') }), []],
  [
    'both were made before there were marks, and know it',
    found({ ...used, knowsUs: true }, { topics: true, knowsUs: true }),
    [],
  ],
  ['both are of another', found({ mark: mark('b') }, { owner: claim('b') }), ['b', 'b']],
  ['the database is of another, the broker new', found({ mark: mark('b') }), ['b']],
  ['the broker is of another, the database new', found({}, { owner: claim('b') }), ['b']],
  ['the broker is of A and the database of B', found({ mark: mark('b') }, { owner: claim('a') }), ['b', 'a']],
  ['its own broker, the database of another', found({ mark: mark('b') }, { owner: claim('own') }), ['b']],
  ['its own database, the broker of another', found({ mark: mark('own') }, { owner: claim('b') }), ['b']],
  ['its own broker, a new database', found({}, { owner: claim('own'), topics: true }), ['own']],
  ['its own database, a new broker', found({ mark: mark('own', { clusterId: 'gone' }), ...used }), ['own']],
  [
    'its own, with another permit key',
    found({ mark: mark('own', { permitKey: 'x' }) }, { owner: claim('own') }),
    ['own'],
  ],
  ['another database on the server of another installation', found({ logins: true }), [unmarked]],
  ['a database without a mark that refuses its passwords', found(used, { topics: true, knowsUs: true }), [unmarked]],
  [
    'a broker without a mark that refuses its passwords',
    found({ ...used, knowsUs: true }, { topics: true }),
    [unmarked],
  ],
  ['without marks, the database in use and the broker new', found({ ...used, knowsUs: true }), [unmarked]],
  ['without marks, the broker in use and the database new', found({}, { topics: true, knowsUs: true }), [unmarked]],
];

test.each(cases)('where %s, it is refused for the owners that stand against it', (_, what, owners) => {
  const objected = objections(own, what);
  expect(objected.map(({ adopt }) => adopt)).toEqual(owners);
  if (owners.length === 0) return;
  const detail = refusal(own, objected);
  for (const owner of owners) expect(detail).toContain(`--adopt ${owner}`);
  expect(detail).toMatch(/^Nothing was changed/);
  expect(detail).toContain('This is installation own (host:/srv/own).');
});

test.each([
  ['nobody claimed', [], undefined],
  ['two claimed at once: the first has it', [claim('a'), claim('b')], 'a'],
  ['a person let b take the place of a', [claim('a'), claim('b', 'a')], 'b'],
  ['two take the place of a at once: the first has it', [claim('a'), claim('b', 'a'), claim('c', 'a')], 'b'],
  ['a comes back', [claim('a'), claim('b', 'a'), claim('a', 'b')], 'a'],
])('the owner of a broker where %s', (_, claims, owner) => {
  expect(ownerOf(claims)?.id).toBe(owner);
});
