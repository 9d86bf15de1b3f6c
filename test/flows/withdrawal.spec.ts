import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { company, signal } from './signals.js';

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

test('a person who unsubscribes between approval and sending is not written to; the others are', async () => {
  const firm = company('withdrawn');
  await visitor.accepted('crm', firm.known());
  await visitor.accepted('website', firm.compare());
  const approved = await visitor.until('the messages to be approved', () => {
    const found = visitor.of('ActionApproved', (a) => a.action.accountId === firm.id && a.action.kind === 'email.send');
    return found.length >= 3 && found;
  });
  const [reader] = firm.people;
  const [gone] = await visitor.accepted('mailer', [
    signal('mailer', 'EmailUnsubscribed', { contact: { ref: reader?.ref ?? '' } }, new Date().toISOString()),
  ]);
  const contactId = gone?.contactId;
  expect(contactId).toBeDefined();

  const ends = await visitor.until('all three to end', () => {
    const found = approved.map(({ proposalId }) => visitor.of('ActionSettled', (s) => s.proposalId === proposalId)[0]);
    return found.every((s) => s !== undefined) && found;
  });
  const outcomes = approved.map(({ action }, n) => [action.payload.contactId === contactId, ends[n]?.outcome]);
  expect(outcomes.filter(([theirs]) => theirs)).toEqual([[true, 'refused']]);
  expect(outcomes.filter(([theirs]) => !theirs)).toEqual([
    [false, 'executed'],
    [false, 'executed'],
  ]);
  const refusal = ends.find((s) => s?.outcome === 'refused');
  expect(refusal?.reason?.says).toContain(String(contactId));
  expect(JSON.stringify(await visitor.sandbox('mailer/messages'))).not.toContain(String(contactId));
});
