import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditorRole, ourAgents } from '@countersign/contracts';
import { urlFor, workspaceRoot } from '@countersign/servers';
import { afterAll, expect, test } from 'vitest';
import { credentialFiles, deploymentIn, readInstallation, runFile, writeForClients } from './installation.js';
import { plansOf, servicePlans } from './services.js';

const dir = mkdtempSync(join(tmpdir(), 'countersign-installation-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const config = join(dir, 'config');
cpSync(join(workspaceRoot, 'deploy/config'), config, { recursive: true });
const sources = readFileSync(join(config, 'sources.yaml'), 'utf8');
const mode = (path: string): number => statSync(path).mode & 0o777;
/** The sources of the shipped folder that post to us, whichever an operator has added. */
const overHttp = deploymentIn(config)
  .sources.filter(({ via }) => via === 'http')
  .map(({ name }) => name)
  .sort();
const isOurAgent = (name: string): boolean => (ourAgents as readonly string[]).includes(name);
const listing = (more: string): string => {
  writeFileSync(join(config, 'sources.yaml'), `${sources}${more}`);
  return config;
};

test('whoever the configuration adds has a login and topics, and run.json tells who there is', () => {
  const shop = '  - { name: added-shop, via: kafka, source: /sources/added-shop, title: Shop }\n';
  const added = 'agents: [paid-media-agent, seo-agent]\nexecutors: [action-executor, ledger]\n';
  const installation = readInstallation(listing(shop + added), join(dir, 'secrets'));
  const logins = installation.users.map(({ name }) => name);
  expect(logins).toEqual(expect.arrayContaining(['added-shop', 'seo-agent', 'ledger', 'upstream', 'console']));
  expect(logins.filter((name) => ['sequencing-agent', 'downstream'].includes(name))).toEqual([]);
  expect(installation.topics.map(({ name }) => name)).toContain('actions.proposed.seo-agent.v1');
  const plans = plansOf(installation.deployment, servicePlans);
  expect(plans.map(({ name }) => name)).toEqual(
    servicePlans.map(({ name }) => name).filter((name) => name === 'paid-media-agent' || !isOurAgent(name)),
  );
  const run = runFile(installation, { bootstrap: 'b', url: ({ name }) => name }, plans);
  expect(JSON.parse(JSON.stringify(run)).deployment).toMatchObject({
    agents: ['paid-media-agent', 'seo-agent'],
    executors: ['action-executor', 'ledger'],
    sources: expect.arrayContaining([expect.objectContaining({ name: 'added-shop', via: 'kafka' })]),
  });
  expect(Object.keys(run.http)).not.toContain('sequencing-agent');
});

/** Every text in a value, however deep. */
const textsIn = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(textsIn)
      : [];

test('run.json holds no credential; each client has a file of its own that holds its own and nobody else’s, of mode 0600', () => {
  const home = join(dir, 'clients');
  const installation = readInstallation(listing(''), join(home, 'secrets'));
  const { secrets, users, deployment } = installation;
  const superuserUrl = 'postgres://admin:superuser-password@127.0.0.1:1/postgres';
  const auditor = { url: urlFor(superuserUrl, auditorRole, secrets.auditorPassword), migrationUrl: '' };
  const plans = plansOf(deployment, servicePlans);
  const run = runFile(installation, { bootstrap: 'b', url: ({ name }) => name }, plans);
  writeForClients(home, run, credentialFiles(installation, auditor));

  const { apiKeys, consoleToken, sandboxToken, readToken, auditorPassword } = secrets;
  const own: Record<string, readonly string[]> = {
    ...Object.fromEntries(users.map(({ name, password }) => [`broker/${name}.json`, [password]])),
    ...Object.fromEntries(Object.entries(apiKeys).map(([name, key]) => [`sources/${name}.json`, [key]])),
    'people/lea.json': [consoleToken, sandboxToken],
    'reader.json': [readToken],
    'auditor.json': [auditorPassword],
  };
  const { passwords, databasePasswords } = secrets;
  // Whoever is given a service's login at the broker has none at the database.
  expect(Object.keys(databasePasswords).sort()).toEqual(plans.map(({ name }) => name).sort());
  expect(Object.values(databasePasswords).filter((value) => Object.values(passwords).includes(value))).toEqual([]);
  const others = [...Object.values(passwords), ...Object.values(databasePasswords), 'superuser-password'];
  const secret = [...Object.values(own).flat(), ...others];
  expect(new Set(secret).size).toBeGreaterThan(15);
  const heldBy = (file: string) => {
    const texts = textsIn(JSON.parse(readFileSync(join(home, file), 'utf8')));
    return [...new Set(secret)].filter((value) => texts.some((text) => text.includes(value))).sort();
  };
  expect(heldBy('run.json')).toEqual([]);
  expect(mode(join(home, 'run.json'))).toBe(0o600);
  const folder = join(home, 'credentials');
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  expect(entries.filter((file) => file.endsWith('.json')).sort()).toEqual(Object.keys(own).sort());
  for (const file of entries)
    if (file.endsWith('.json')) {
      expect(heldBy(`credentials/${file}`), file).toEqual([...(own[file] ?? [])].sort());
      expect(mode(join(folder, file)), file).toBe(0o600);
    } else expect(mode(join(folder, file)), file).toBe(0o700);
  expect(mode(folder)).toBe(0o700);

  // Whoever is gone has no file any more.
  const fewer = readInstallation(listing('agents: [paid-media-agent]\n'), join(home, 'secrets'));
  writeForClients(home, run, credentialFiles(fewer, auditor));
  expect(existsSync(join(folder, 'broker/sequencing-agent.json'))).toBe(false);
  expect(existsSync(join(folder, 'broker/paid-media-agent.json'))).toBe(true);
});

test('whoever the configuration does not name any more has no key and no login that opens anything', () => {
  const at = join(dir, 'changed');
  const shop = '  - { name: added-shop, via: http, source: /sources/added-shop, title: Shop }\n';
  const before = readInstallation(listing(`${shop}agents: [paid-media-agent, seo-agent]\n`), at);
  expect(Object.keys(before.secrets.apiKeys)).toContain('added-shop');
  expect(before.former).toEqual([]);

  const after = readInstallation(listing('agents: [paid-media-agent]\n'), at);
  expect(overHttp).toEqual(expect.arrayContaining(['ads', 'crm', 'mailer', 'website']));
  expect(Object.keys(after.secrets.apiKeys).sort()).toEqual(overHttp);
  const keys = JSON.parse(readFileSync(after.secrets.files.API_KEYS_FILE as string, 'utf8'));
  expect(Object.keys(keys).sort()).toEqual(overHttp);
  expect(after.former).toEqual(['seo-agent']);

  // Named again, it has the key that it had.
  const again = readInstallation(listing(shop), at);
  expect(again.secrets.apiKeys['added-shop']).toBe(before.secrets.apiKeys['added-shop']);
});

test('the sandbox systems are there with the executor that reaches them, with a login of the database and none of the broker', () => {
  const config = listing('');
  const { deployment, users, secrets } = readInstallation(config, join(dir, 'with'));
  expect(plansOf(deployment, servicePlans).map(({ name }) => name)).toContain('sandbox-systems');
  expect(users.map(({ name }) => name)).not.toContain('sandbox-systems');
  expect(secrets.databasePasswords['sandbox-systems']).toMatch(/.{20}/);
  const without = deploymentIn(listing('executors: [ledger]\n'));
  expect(plansOf(without, servicePlans).map(({ name }) => name)).not.toContain('sandbox-systems');
});

test('a configuration that is not there or not right stops the start, by file, line and what was expected', () => {
  expect(() => deploymentIn(join(dir, 'none'))).toThrow(`there is no ${join(dir, 'none/sources.yaml')}`);
  expect(() => deploymentIn(listing('agents: [console]\n'))).toThrow(
    /sources.yaml:\d+ agents.0: "console" is a service/,
  );
});
