import type { DataOf } from '@countersign/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { company } from './signals.js';

/* First messages to three people of the C-suite: each waits for a person, who answers in another way. */

let visitor: Visitor;
let waiting: DataOf<'ActionEscalated'>[];
const board = company('review-board', 3, 'c-suite');

beforeAll(async () => {
  visitor = await visit(await shared());
  await visitor.accepted('crm', board.known());
  await visitor.accepted('website', board.compare());
  waiting = await visitor.until('three first messages to wait for a person', () => {
    const found = visitor.eventsOf(
      'ActionEscalated',
      (e) => e.action.accountId === board.id && e.action.kind === 'email.send',
    );
    return found.length >= 3 && found;
  });
});
afterAll(() => visitor?.leave());

const nth = (n: number): DataOf<'ActionEscalated'> => waiting[n] as DataOf<'ActionEscalated'>;
const messagesTo = async (contactId: unknown) => {
  const { messages } = await visitor.sandbox<{ messages: { contactId: string; subject: string }[] }>('mailer/messages');
  return messages.filter((message) => message.contactId === contactId);
};

test('what waits is listed, and its card shows facts first and the agent quoted', async () => {
  // The topic has it before the console has read it.
  await visitor.until('what waits to be listed', async () => {
    const list = await visitor.cli('review', 'list');
    return waiting.every(({ proposalId }) => list.out.includes(proposalId));
  });
  const card = await visitor.cli('review', 'show', nth(0).proposalId);
  expect(card.out).toContain('first touch');
  expect(card.out).toContain("the agent's own words");
  expect(card.out).toContain(nth(0).digest);
});

test('an answer to another digest than the one that waits changes nothing', async () => {
  const answer = await visitor.cli('review', 'approve', nth(0).proposalId, '--yes', '--digest', '0'.repeat(64));
  expect(answer.code).not.toBe(0);
  expect(visitor.eventsOf('ReviewDecided', (r) => r.subject.id === nth(0).proposalId)).toEqual([]);
});

test('approved: it is judged again, runs once, and the permit names the review', async () => {
  const { proposalId, action } = nth(0);
  const answer = await visitor.cli('review', 'approve', proposalId, '--yes');
  expect(answer.code, answer.err).toBe(0);
  await visitor.until(
    'the approved message to be executed',
    () => visitor.eventsOf('ActionSettled', (s) => s.proposalId === proposalId && s.outcome === 'executed')[0],
  );
  const [approved] = visitor.eventsOf('ActionApproved', (a) => a.proposalId === proposalId);
  expect(approved?.review).toMatchObject({ by: 'lea', decision: 'approve' });
  expect(await messagesTo(action.payload.contactId)).toHaveLength(1);
});

test('a second answer is set aside or refused, and nothing runs twice', async () => {
  const { proposalId, action } = nth(0);
  const again = await visitor.cli(
    'review',
    'reject',
    proposalId,
    '--yes',
    '--category',
    'not-needed',
    '--note',
    'changed my mind',
  );
  expect(again.code).not.toBe(0);
  expect(await messagesTo(action.payload.contactId)).toHaveLength(1);
});

test('rejected: it is refused with the person named, and nothing is sent', async () => {
  const { proposalId, action } = nth(1);
  const answer = await visitor.cli(
    'review',
    'reject',
    proposalId,
    '--yes',
    '--category',
    'not-needed',
    '--note',
    'not this quarter',
  );
  expect(answer.code, answer.err).toBe(0);
  const refused = await visitor.until(
    'the refusal',
    () => visitor.eventsOf('ActionRefused', (r) => r.proposalId === proposalId)[0],
  );
  expect(refused.review).toMatchObject({ by: 'lea', decision: 'reject' });
  expect(visitor.eventsOf('ActionApproved', (a) => a.proposalId === proposalId)).toEqual([]);
  expect(await messagesTo(action.payload.contactId)).toEqual([]);
});

test('edited: a new action with its own digest runs, the original never', async () => {
  const { proposalId, action, digest } = nth(2);
  const answer = await visitor.cli('review', 'edit', proposalId, '--yes', '--set', 'subject=A shorter subject');
  expect(answer.code, answer.err).toBe(0);
  const settled = await visitor.until(
    'the edited message to be executed',
    () => visitor.eventsOf('ActionSettled', (s) => s.proposalId === proposalId && s.outcome === 'executed')[0],
  );
  expect(settled.actionId).not.toBe(action.actionId);
  expect(settled.digest).not.toBe(digest);
  const [original] = visitor.eventsOf('ActionRefused', (r) => r.proposalId === proposalId);
  expect(original).toMatchObject({ actionId: action.actionId, supersededBy: settled.actionId });
  expect(await messagesTo(action.payload.contactId)).toMatchObject([{ subject: 'A shorter subject' }]);
});
