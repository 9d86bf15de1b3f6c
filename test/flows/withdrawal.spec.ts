import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { ago, company, signal } from './signals.js';

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

test.each([
  ['unsubscribes', (ref: string) => signal('mailer', 'EmailUnsubscribed', { contact: { ref } }, ago(0))],
  [
    'withdraws the consent',
    (ref: string) =>
      signal(
        'crm',
        'ConsentChanged',
        { contact: { ref }, purpose: 'sales', channel: 'email', status: 'withdrawn' },
        ago(0),
      ),
  ],
  ['complains', (ref: string) => signal('mailer', 'EmailComplained', { contact: { ref } }, ago(0))],
] as const)('who %s between approval and sending is sent nothing; colleagues are', async (_what, gone) => {
  const { id, people, known, compare } = company(`withdrawn-${randomUUID().slice(0, 8)}`);
  await visitor.accepted('crm', known());
  const accepted = await visitor.accepted('website', compare());
  const contactId = accepted.find((a) => a.signalId === accepted[0]?.signalId)?.contactId ?? '';
  const messages = () =>
    visitor.eventsOf('ActionApproved', (a) => a.action.kind === 'email.send' && a.action.accountId === id);
  const approved = await visitor.until('the approvals of the messages', () => messages().length === 3 && messages());
  const own = approved.find((a) => a.action.payload.contactId === contactId);
  const ref = people[0]?.ref ?? '';
  const withdrawal = gone(ref);
  const source = withdrawal.source === '/sources/crm' ? 'crm' : 'mailer';
  const [withdrawn] = await visitor.accepted(source, [withdrawal]);
  expect(withdrawn?.contactId).toBe(contactId);

  const outcomes = await visitor.until('every settlement', () => {
    const found = approved.map((a) => visitor.eventsOf('ActionSettled', (s) => s.permitId === a.permitId)[0]);
    return found.every((s) => s !== undefined) && found;
  });
  const refused = outcomes.filter((s) => s.outcome === 'refused');
  expect(refused).toMatchObject([{ permitId: own?.permitId, reason: { code: 'consent-changed' } }]);
  expect(outcomes.filter((s) => s.outcome === 'executed')).toHaveLength(2);
  const { messages: sent } = await visitor.sandbox<{ messages: { contactId: string }[] }>('mailer/messages');
  expect(sent.filter((m) => m.contactId === contactId)).toEqual([]);
});
