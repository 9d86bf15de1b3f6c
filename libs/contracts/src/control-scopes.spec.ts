import { expect, test } from 'vitest';
import { scopesCovering } from './control-scopes.js';

test('an action is covered by stops of everything, its play, its accounts, its channel and its agent', () => {
  expect(
    scopesCovering({ play: 'surge', agents: ['ads'], channel: 'advertising', accounts: ['acme', 'ads-1'] }),
  ).toEqual(['all', 'play:surge', 'account:acme', 'account:ads-1', 'channel:advertising', 'agent:ads']);
});

test('what is not known limits nothing, and nothing is named twice', () => {
  expect(scopesCovering({ play: 'surge', accounts: [undefined] })).toEqual(['all', 'play:surge']);
  expect(scopesCovering({ play: 'surge', agents: ['ads', 'ads'], accounts: ['acme', 'acme'] })).toEqual([
    ...['all', 'play:surge', 'account:acme', 'agent:ads'],
  ]);
});

test('an account and a play of the same name are different scopes', () => {
  expect(scopesCovering({ play: 'surge', accounts: ['surge'] })).toEqual(['all', 'play:surge', 'account:surge']);
});
