import type { PolicyContent } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { contact } from '../testing.js';
import { executorOf } from './routes.js';

const policy = {
  routes: [
    { kinds: ['crm.create_task'], accounts: ['partner'], executor: 'downstream', connector: 'crm' },
    { kinds: ['crm.create_task'], executor: 'action-executor', connector: 'crm' },
  ],
} as unknown as PolicyContent;
const action = (kind: string, accountId?: string) => ({
  actionId: contact(1),
  kind,
  payload: {},
  ...(accountId !== undefined && { accountId }),
});

test('the first route that matches kind and account names the executor', () => {
  expect(executorOf(action('crm.create_task', 'partner'), policy)).toBe('downstream');
  expect(executorOf(action('crm.create_task', 'acme'), policy)).toBe('action-executor');
  expect(executorOf(action('crm.create_task'), policy)).toBe('action-executor');
});

test('without a route or a policy there is no executor', () => {
  expect(executorOf(action('email.send'), policy)).toBeUndefined();
  expect(executorOf(action('crm.create_task'), null)).toBeUndefined();
});
