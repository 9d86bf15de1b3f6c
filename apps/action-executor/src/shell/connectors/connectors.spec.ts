import { executorConnectors } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { sandboxes } from './sandbox.js';
import { Webhook } from './webhook.js';

test('the connectors that a route may name are those that there are', () => {
  const webhook = { url: 'https://hook.example', secret: `whsec_${'A'.repeat(32)}`, timeoutMs: 1 };
  const mail = { bodyOf: async () => '{}' };
  const connectors = [...sandboxes({ url: 'https://sandbox.example', token: 'token' }, mail), new Webhook(webhook)];
  expect(Object.keys(executorConnectors['action-executor'] ?? {})).toEqual(connectors.map(({ name }) => name));
});
