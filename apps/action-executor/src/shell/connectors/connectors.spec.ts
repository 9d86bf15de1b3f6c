import { generateKeyPairSync } from 'node:crypto';
import { executorConnectors } from '@countersign/contracts';
import { expect, test } from 'vitest';
import type { Settings } from '../settings.js';
import { AdsSandbox } from './ads-sandbox.js';
import { CrmSandbox } from './crm-sandbox.js';
import { MailerSandbox } from './mailer-sandbox.js';
import { Webhook } from './webhook.js';

test('the connectors that a route may name are those that there are', () => {
  const none = undefined as never;
  const contactPointsKey = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const settings = { contactPointsKey } as Pick<Settings, 'contactPointsKey'>;
  const webhook = { url: 'https://hook.example', secret: `whsec_${'A'.repeat(32)}`, timeoutMs: 1 };
  const there = [
    new AdsSandbox(none),
    new MailerSandbox(none, none, settings),
    new CrmSandbox(none),
    new Webhook(webhook),
  ];
  expect(Object.keys(executorConnectors['action-executor'] ?? {})).toEqual(there.map(({ name }) => name));
});
