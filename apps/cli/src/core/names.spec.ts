import { expect, test } from 'vitest';
import { nameAndId, withNames } from './names.js';
import { scopeName } from './scope.js';

const campaigns = [
  { campaignId: 'cmp-dach', name: 'Search, DACH' },
  { campaignId: 'cmp-dach-video', name: 'Video (cmp-dach)' },
  { campaignId: '7+1', name: 'Seven' },
  { campaignId: 'c-9' },
];

test.each([
  ['pause cmp-dach-video', 'pause Video (cmp-dach) (cmp-dach-video)'],
  ['from cmp-dach-video to cmp-dach.', 'from Video (cmp-dach) (cmp-dach-video) to Search, DACH (cmp-dach).'],
  ['pause 7+1', 'pause Seven (7+1)'],
  ['pause c-9', 'pause c-9'],
  ['cmp-dach-2, old-cmp-dach and cmp-dach.1', 'cmp-dach-2, old-cmp-dach and cmp-dach.1'],
])('a campaign has its name before its id, and only where its whole id stands: %s', (text, named) => {
  expect(withNames(text, campaigns)).toBe(named);
  expect(withNames(text)).toBe(text);
});

test('without a name the id stands alone, and a name that is the id is not repeated', () => {
  expect([nameAndId('acme', 'Acme'), nameAndId('acme', 'acme'), nameAndId('acme', null)]).toEqual([
    ...['Acme (acme)', 'acme', 'acme'],
  ]);
});

test('a scope of a stop has the name of its play or account', () => {
  expect(scopeName('account:acme', 'Acme')).toBe('the account “Acme” (acme)');
  expect(scopeName('play:a:b', 'Surge')).toBe('the play “Surge” (a:b)');
  expect([scopeName('account:acme', null), scopeName('account:acme', 'acme')]).toEqual([
    'account:acme',
    'account:acme',
  ]);
  expect(scopeName('all')).toBe('everything');
});
