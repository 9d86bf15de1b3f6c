import { expect, test } from 'vitest';
import { idBehind, scopeWords } from './scope.js';

test.each([
  ['all', undefined, 'everything', undefined],
  ['agent:paid-media-agent', null, 'the agent paid-media-agent', undefined],
  ['play:surge', 'Surge', 'the play “Surge”', 'surge'],
  ['account:acme', 'Acme', 'the account “Acme”', 'acme'],
  ['account:acme', 'acme', 'the account acme', undefined],
  ['account:a:b', null, 'the account a:b', undefined],
])('what %s, named %s, covers', (scope, name, words, id) => {
  expect(scopeWords({ scope, ...(name !== undefined && { name }) })).toBe(words);
  expect(idBehind({ scope, ...(name !== undefined && { name }) })).toBe(id);
});
