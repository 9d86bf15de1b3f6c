import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import type { Got } from './receiver.js';
import { company } from './signals.js';

let visitor: Visitor;
let hook: { url: string; secret: string };
beforeAll(async () => {
  const installation = await shared();
  hook = installation.hook;
  visitor = await visit(installation);
});
afterAll(() => visitor?.leave());

test('a route to the webhook connector makes one signed effect, repeated under the same key with the same bytes', async () => {
  const { id, known, compare } = company('hook-gmbh');
  await visitor.accepted('crm', known());
  await visitor.accepted('website', compare());
  const approved = await visitor.until('the approval of a CRM task', () =>
    visitor.eventsOf('ActionApproved', (a) => a.action.kind === 'crm.create_task' && a.action.accountId === id).at(0),
  );
  expect(approved).toMatchObject({ executor: 'action-executor', connector: 'webhook' });
  const settled = await visitor.until('its settlement', () =>
    visitor.eventsOf('ActionSettled', (s) => s.permitId === approved.permitId).at(0),
  );
  expect(settled).toMatchObject({ outcome: 'executed', externalReference: expect.stringMatching(/^ticket-/) });

  const all = (await (await fetch(`${hook.url}/got`)).json()) as Got[];
  const posts = all.filter((got) => got.headers['webhook-id'] === approved.actionId);
  // The receiver was busy at first; the repeat was the one that counted.
  expect(posts.map((post) => post.status)).toEqual([503, 200]);
  expect(new Set(posts.map((post) => post.body)).size).toBe(1);
  expect(JSON.parse(posts[0]?.body ?? '')).toEqual({
    type: 'crm.create_task',
    data: { actionId: approved.actionId, accountId: id, payload: approved.action.payload },
  });
  for (const { headers, body } of all.filter((got) => [got.headers['webhook-id']].includes(approved.actionId))) {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const key = Buffer.from(hook.secret.slice('whsec_'.length), 'base64');
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  }
});
