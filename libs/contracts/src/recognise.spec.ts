import { expect, test } from 'vitest';
import { actionKinds } from './catalogue.js';
import { accountText, contactText } from './recognise.js';

const id = '57a6d963-86d2-4dd1-a418-8bfbb2b4f853';

test('a person is told by seniority, function and account, with the id behind', () => {
  const facts = { seniority: 'c-suite', jobFunction: 'finance', accountName: 'Lumen Health' } as const;
  expect(contactText(id, facts)).toBe(`c-suite, finance, at Lumen Health (contact ${id})`);
  expect(accountText('lumen-health', 'Lumen Health')).toBe('Lumen Health (account lumen-health)');
});

test('what is not known is left out', () => {
  expect(contactText(id, { seniority: 'unknown', jobFunction: 'finance' })).toBe(`finance (contact ${id})`);
  expect(contactText(id, { seniority: 'unknown' })).toBe(`contact ${id}`);
  expect(contactText(id)).toBe(`contact ${id}`);
  expect(accountText('acme')).toBe('account acme');
  expect(accountText('acme', ' \n ')).toBe('account acme');
});

test("an outsider's text stays one short line that steers nothing", () => {
  const jobFunction = 'finance\n\u001b[2J\u202egnp';
  expect(contactText(id, { jobFunction, accountName: 'A\u2028B' })).toBe(
    `finance \ufffd[2J\ufffdgnp, at A B (contact ${id})`,
  );
  expect(accountText('acme', 'x'.repeat(500))).toBe(`${'x'.repeat(80)}… (account acme)`);
});

test('an action is told with whom it concerns by what the caller knows of them', () => {
  const payload = { contactId: id, sequenceId: 'welcome', purpose: 'sales' } as const;
  const nameOf = (contactId: string) => contactText(contactId, { seniority: 'vp' });
  expect(actionKinds['sequence.enroll'].detail(payload)).toBe(`enrol contact ${id} in welcome`);
  expect(actionKinds['sequence.enroll'].detail(payload, nameOf)).toBe(`enrol vp (contact ${id}) in welcome`);
});
