import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workspaceRoot } from '@countersign/servers';
import { afterAll, expect, test } from 'vitest';
import { deploymentIn, readInstallation, runFile } from './installation.js';
import { plansOf, servicePlans } from './services.js';

const dir = mkdtempSync(join(tmpdir(), 'countersign-installation-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const config = join(dir, 'config');
cpSync(join(workspaceRoot, 'deploy/config'), config, { recursive: true });
const sources = readFileSync(join(config, 'sources.yaml'), 'utf8');
const listing = (more: string): string => {
  writeFileSync(join(config, 'sources.yaml'), `${sources}${more}`);
  return config;
};

test('whoever the configuration adds has a login and topics, and run.json tells who there is', () => {
  const shop = '  - { name: shop, via: kafka, source: /sources/shop, title: Shop }\n';
  const added = 'agents: [paid-media-agent, seo-agent]\nexecutors: [action-executor, ledger]\n';
  const installation = readInstallation(listing(shop + added), join(dir, 'secrets'));
  const logins = installation.users.map(({ name }) => name);
  expect(logins).toEqual(expect.arrayContaining(['shop', 'seo-agent', 'ledger', 'upstream', 'console']));
  expect(logins.filter((name) => ['sequencing-agent', 'downstream'].includes(name))).toEqual([]);
  expect(installation.topics.map(({ name }) => name)).toContain('actions.proposed.seo-agent.v1');
  const plans = plansOf(installation.deployment, servicePlans);
  expect(plans.map(({ name }) => name)).toEqual(
    servicePlans.map(({ name }) => name).filter((name) => name !== 'sequencing-agent'),
  );
  const run = runFile(installation, { bootstrap: 'b', superuserUrl: 'd', url: ({ name }) => name }, plans);
  expect(JSON.parse(JSON.stringify(run)).deployment).toMatchObject({
    agents: ['paid-media-agent', 'seo-agent'],
    executors: ['action-executor', 'ledger'],
    sources: expect.arrayContaining([expect.objectContaining({ name: 'shop', via: 'kafka' })]),
  });
  expect(Object.keys(run.http)).not.toContain('sequencing-agent');
});

test('whoever the configuration does not name any more has no key and no login that opens anything', () => {
  const at = join(dir, 'changed');
  const shop = '  - { name: shop, via: http, source: /sources/shop, title: Shop }\n';
  const before = readInstallation(listing(`${shop}agents: [paid-media-agent, seo-agent]\n`), at);
  expect(Object.keys(before.secrets.apiKeys)).toContain('shop');
  expect(before.former).toEqual([]);

  const after = readInstallation(listing('agents: [paid-media-agent]\n'), at);
  expect(Object.keys(after.secrets.apiKeys).sort()).toEqual(['ads', 'crm', 'mailer', 'website']);
  const keys = JSON.parse(readFileSync(after.secrets.files.API_KEYS_FILE as string, 'utf8'));
  expect(Object.keys(keys).sort()).toEqual(['ads', 'crm', 'mailer', 'website']);
  expect(after.former).toEqual(['seo-agent']);

  // Named again, it has the key that it had.
  const again = readInstallation(listing(shop), at);
  expect(again.secrets.apiKeys.shop).toBe(before.secrets.apiKeys.shop);
});

test('the sandbox systems are there with the executor that reaches them, with a login of the database and none of the broker', () => {
  const config = listing('');
  const { deployment, users, secrets } = readInstallation(config, join(dir, 'with'));
  expect(plansOf(deployment, servicePlans).map(({ name }) => name)).toContain('sandbox-systems');
  expect(users.map(({ name }) => name)).not.toContain('sandbox-systems');
  expect(secrets.passwords['sandbox-systems']).toMatch(/.{20}/);
  const without = deploymentIn(listing('executors: [ledger]\n'));
  expect(plansOf(without, servicePlans).map(({ name }) => name)).not.toContain('sandbox-systems');
});

test('a configuration that is not there or not right stops the start, by file, line and what was expected', () => {
  expect(() => deploymentIn(join(dir, 'none'))).toThrow(`there is no ${join(dir, 'none/sources.yaml')}`);
  expect(() => deploymentIn(listing('agents: [console]\n'))).toThrow(
    /sources.yaml:\d+ agents.0: "console" is a service/,
  );
});
