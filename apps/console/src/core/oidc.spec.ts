import { expect, test } from 'vitest';
import { attemptOf, foreignAccount, lacks, personByClaims } from './oidc.js';

const mapping = {
  personClaim: 'preferred_username',
  rolesClaim: 'groups',
  roles: { leads: ['reviewer', 'operator'], everybody: ['viewer'] },
} as const;
const by = (claims: object) => personByClaims(claims as Record<string, unknown>, mapping as never);

test.each([
  [
    ['leads', 'everybody', 'unknown'],
    ['viewer', 'reviewer', 'operator'],
  ],
  ['everybody', ['viewer']],
])('groups %j are the roles %j', (groups, roles) => {
  expect(by({ preferred_username: 'lea', groups })).toEqual({ person: 'lea', roles });
});

test.each([
  [{ preferred_username: 'lea', groups: [] }, 'no role'],
  [{ preferred_username: 'lea', groups: ['constructor', '__proto__', 7, null] }, 'no role'],
  [{ preferred_username: 'lea' }, 'no role'],
  [{ groups: ['leads'] }, 'preferred_username'],
  [{ preferred_username: ['lea'], groups: ['leads'] }, 'preferred_username'],
  [{ preferred_username: 'Lea\nOperator', groups: ['leads'] }, 'preferred_username'],
])('%j is nobody', (claims, why) => {
  expect(by(claims)).toEqual({ refusal: expect.stringContaining(why) });
});

test('asks again only for what is not told', () => {
  expect(lacks({ preferred_username: 'lea', groups: [] }, mapping as never)).toBe(false);
  expect(lacks({ preferred_username: 'lea' }, mapping as never)).toBe(true);
});

test('what goes with an attempt is of that attempt alone', () => {
  const [first, other] = [attemptOf('a'), attemptOf('b')];
  expect(attemptOf('a')).toEqual(first);
  expect(new Set([...Object.values(first), ...Object.values(other)]).size).toBe(6);
});

test.each([
  ['neither was bound before, and both are now', [{ person: 'lea', subjectSha256: 'a' }], undefined],
  [
    'the name belongs to another account',
    [{ person: 'lea', subjectSha256: 'b' }],
    /signed in here as lea first.*--person lea/,
  ],
  [
    'the account has another name',
    [{ person: 'max', subjectSha256: 'a' }],
    /signed in here as max before.*--person max/,
  ],
  [
    'both belong to others',
    [
      { person: 'lea', subjectSha256: 'b' },
      { person: 'max', subjectSha256: 'a' },
    ],
    /signed in here as max before.*--person max/,
  ],
])('an account signs in by a name if the two belong together: %s', (_, bindings, refusal) => {
  const found = foreignAccount(bindings, 'lea', { issuer: 'https://id.example', subjectSha256: 'a' });
  if (refusal === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(refusal);
});
