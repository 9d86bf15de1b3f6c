import { createHash } from 'node:crypto';
import type { Charter, Play } from '@countersign/contracts';
import { expect, test } from 'vitest';
import type { RolesByClaim } from './oidc.js';
import { People, personOf, unanswerable } from './people.js';

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

test('a file of people with a role that does not exist is not accepted', () => {
  expect(People.safeParse([{ sha256: sha256('one'), person: 'lea', roles: ['root'] }]).success).toBe(false);
});

test('a file in which a token is there twice, nobody is, or somebody has no role, is not accepted', () => {
  const lea = { sha256: sha256('one'), person: 'lea', roles: ['reviewer'] };
  const twice = People.safeParse([lea, { ...lea, person: 'tom', roles: ['viewer'] }]);
  expect(twice.error?.issues).toMatchObject([{ path: [1], message: 'lea and tom have the same token' }]);
  expect(People.safeParse([]).success).toBe(false);
  expect(People.safeParse([{ ...lea, roles: [] }]).success).toBe(false);
  expect(People.safeParse([lea, { ...lea, sha256: sha256('two') }]).success).toBe(true);
});

test('a charter or a checkpoint whose reviewers cannot log in as reviewers is told: its questions would all expire', () => {
  const reviewer = { sha256: '', person: 'lea', roles: ['reviewer' as const] };
  const viewer = { sha256: '', person: 'marc', roles: ['viewer' as const] };
  const charter = (agent: string, ...reviewers: string[]) => ({ agent, reviewers, kinds: {} }) as unknown as Charter;
  const play = { id: 'surge', checkpoint: { reviewers: ['tom'], withinMinutes: 1 } } as Play;
  const content = { charters: [charter('a', 'marc', 'lea'), charter('b', 'marc', 'tom')], plays: [play] };
  expect(unanswerable(content, [reviewer, viewer])).toEqual([
    'nobody can answer for the charter of b: no token in CONSOLE_TOKENS_FILE makes marc or tom a reviewer',
    'nobody can answer for the checkpoint of surge: no token in CONSOLE_TOKENS_FILE makes tom a reviewer',
  ]);
});

test('a charter whose signers cannot log in as reviewers is told too', () => {
  const lea = { sha256: '', person: 'lea', roles: ['reviewer' as const] };
  const charter = {
    agent: 'a',
    owner: 'dana',
    reviewers: ['lea'],
    kinds: { 'ads.set_bid': 'approve' },
  } as unknown as Charter;
  expect(unanswerable({ charters: [charter], plays: [] }, [lea])).toEqual([
    'nobody can answer for what a only prepares: no token in CONSOLE_TOKENS_FILE makes dana a reviewer',
  ]);
  expect(unanswerable({ charters: [{ ...charter, signers: ['lea'] }], plays: [] }, [lea])).toEqual([]);
});

test('while an identity provider may make somebody a reviewer, only the provider knows who can answer, and nothing is told', () => {
  const viewer = { sha256: '', person: 'marc', roles: ['viewer' as const] };
  const content = { charters: [{ agent: 'a', reviewers: ['lea'], kinds: {} } as unknown as Charter], plays: [] };
  const warnings = (groups: RolesByClaim) => unanswerable(content, [viewer], groups);
  expect(warnings({ leads: ['operator', 'reviewer'], all: ['viewer'] })).toEqual([]);
  // A provider that makes nobody a reviewer changes nothing.
  expect(warnings({ all: ['viewer'] })).toEqual([
    'nobody can answer for the charter of a: no token in CONSOLE_TOKENS_FILE makes lea a reviewer, and no group in OIDC_ROLES_FILE has that role',
  ]);
});

test('a tokens file that still calls a policy owner publisher is read', () => {
  const file = [{ sha256: 'a'.repeat(64), person: 'lea', roles: ['viewer', 'publisher'] }];
  expect(People.parse(file)).toEqual([{ sha256: 'a'.repeat(64), person: 'lea', roles: ['viewer', 'policy-owner'] }]);
  expect(People.safeParse([{ ...file[0], roles: ['owner'] }]).success).toBe(false);
});
