import { expect, test } from 'vitest';
import { roleIn } from './role-search.js';

test.each([
  ['CFO', 'c-suite', 'finance', undefined],
  ['The CFO of Lumen Health', 'c-suite', 'finance', 'lumen health'],
  ['A director (sales) of Acme', 'director', 'sales', 'acme'],
  ['director sales', 'director', 'sales', undefined],
  ['vice president', 'vp', undefined, undefined],
  [' an  Executive at  Bank of Acme ', 'c-suite', undefined, 'bank of acme'],
  ['a specialist', 'individual', undefined, undefined],
  ['a contact of Acme', 'unknown', undefined, 'acme'],
])('“%s” is read as the pages write it', (text, seniority, jobFunction, account) => {
  expect(roleIn(text)).toEqual({ seniority, jobFunction, account });
});

test.each(['Lumen', 'Directors Ltd', 'Bank of Acme', 'constructor', ''])('“%s” names no role', (text) => {
  expect(roleIn(text)).toBeUndefined();
});
