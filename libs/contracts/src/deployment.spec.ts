import { expect, test } from 'vitest';
import { problemLine, readDeployment } from './config.js';
import { deploymentFileOf, outsidersOf } from './deployment.js';
import { acls, type Deployment, services, servicesOf, shippedDeployment, topology } from './topology.js';

const source = (name: string, via = 'kafka') =>
  `  - { name: ${name}, via: ${via}, source: /sources/${name}, title: T }\n`;
const file = (rest = '', sources = source('shop')): string => `sources:\n${sources}${rest}`;
const read = (text: string) => readDeployment([{ path: 'sources.yaml', text }]);
const deployed = (text: string): Deployment => {
  const found = read(text);
  if (!found.ok) throw new Error(found.problems.map(problemLine).join('\n'));
  return found.deployment;
};
const problems = (text: string): string[] => {
  const found = read(text);
  return found.ok ? [] : found.problems.map(problemLine);
};

test('agents and executors are those that the file lists, and as shipped where it lists none', () => {
  expect(deployed(file())).toMatchObject({
    sources: [{ name: 'shop', via: 'kafka', source: '/sources/shop' }],
    agents: shippedDeployment.agents,
    executors: shippedDeployment.executors,
  });
  expect(deployed(file('agents: [paid-media-agent, seo-agent]\nexecutors: [ledger]\n'))).toMatchObject({
    agents: ['paid-media-agent', 'seo-agent'],
    executors: ['ledger'],
  });
});

test('an agent, an executor and a source that were added have their topics and may write those, and nothing else', () => {
  const added = deployed(file('agents: [paid-media-agent, seo-agent]\nexecutors: [action-executor, ledger]\n'));
  const mayWrite = (principal: string) =>
    acls(topology(added))
      .filter((acl) => acl.principal === principal && acl.operations.includes('write'))
      .map(({ name }) => name);
  expect(mayWrite('seo-agent')).toEqual(['actions.proposed.seo-agent.v1', 'tasks.settled.seo-agent.v1']);
  expect(mayWrite('ledger')).toEqual(['actions.settled.ledger.v1']);
  expect(mayWrite('shop')).toEqual(['signals.inbound.shop.v1']);
  expect(outsidersOf(added)).toEqual(['shop', 'seo-agent', 'ledger']);
  // What is sealed to our executor is not for one that runs elsewhere.
  const readers = topology(added).find(({ name }) => name === 'contact-points.v1')?.readers;
  expect(readers).toEqual(['action-executor', 'audit-recorder', 'signal-ingestion']);
});

test('an agent or an executor of ours that is not listed is no service of the installation, and has no topic', () => {
  const without = deployed(file('agents: [paid-media-agent]\nexecutors: [downstream]\n'));
  expect(servicesOf(without)).toEqual(services.filter((s) => s !== 'sequencing-agent' && s !== 'action-executor'));
  const involved = topology(without).flatMap(({ name, writer, readers }) => [name, writer, ...readers]);
  expect(involved.filter((name) => /sequencing-agent|action-executor/.test(name))).toEqual([]);
  expect(servicesOf(shippedDeployment)).toEqual(services);
});

test.each([
  [
    'a service with another part',
    'agents: [guardrail-validator]\n',
    'sources.yaml:3 agents.0: "guardrail-validator" is a',
  ],
  ['our executor as an agent', 'agents: [action-executor]\n', 'agents.0: "action-executor" is a service'],
  ['an agent that executes', 'agents: [seo]\nexecutors: [seo]\n', 'executors.0: "seo" is listed already'],
  ['an agent twice', 'agents: [seo, seo]\n', 'agents.1: "seo" is listed already'],
  ['an agent that is a source', 'agents: [shop]\n', 'agents.0: "shop" is listed already'],
  [
    'a name that begins with another',
    'agents: [seo, seo-two]\n',
    'agents.1: one of "seo-two" and "seo" begins with the',
  ],
  ['a name that a service begins with', 'agents: [cons]\n', 'agents.0: one of "cons" and "console" begins with'],
  ['no name', 'agents: ["No Name"]\n', 'agents.0: lower-case words'],
  ['an empty list', 'agents: []\n', 'agents: '],
  ['a setting that does not exist', 'agent: [seo]\n', 'agent: is not a setting that exists'],
])('%s is refused by its place', (_, rest, says) => {
  expect(problems(file(rest))).toContainEqual(expect.stringContaining(says));
});

test('a source that logs in has a login of its own, and every source a name of its own', () => {
  expect(problems(file('', source('console')))).toEqual([expect.stringContaining('"console" is a service')]);
  expect(problems(file('', source('shop', 'http') + source('shop', 'http')))).toEqual([
    'sources.yaml:3 sources.1.name: another source has "shop" already',
  ]);
  // One that posts to signal-ingestion has an API key and no login.
  expect(problems(file('agents: [shop-agent]\n', source('shop', 'http')))).toEqual([]);
});

test('a file that is missing is a problem like any other', () => {
  expect(readDeployment([])).toMatchObject({ ok: false, problems: [{ file: 'sources.yaml', says: 'is missing' }] });
});

test('the file is that of SOURCES_FILE, else of CONFIG_DIR; an empty variable counts as not set', () => {
  expect(deploymentFileOf({ SOURCES_FILE: '/a.yaml', CONFIG_DIR: '/b' })).toBe('/a.yaml');
  expect(deploymentFileOf({ SOURCES_FILE: '', CONFIG_DIR: '/b/' })).toBe('/b/sources.yaml');
  expect(deploymentFileOf({ CONFIG_DIR: '' })).toBeUndefined();
});

test('a source declares what it sends; a type or a member that does not exist is refused with its line', () => {
  const sends = (declared: string) =>
    file('', `  - name: crm\n    via: http\n    source: /sources/crm\n    title: CRM\n    sends:\n${declared}`);
  const one = 'sources.yaml:7 sources.0.sends';
  expect(deployed(sends('      PageViewed: [contact.email, url]\n')).sources).toMatchObject([
    { sends: { PageViewed: ['contact.email', 'url'] } },
  ]);
  const unknown = problems(
    sends('      EmailOpened: [contact.ref]\n      PageViewed:\n        - url\n        - colour\n'),
  );
  expect(unknown).toEqual([
    expect.stringMatching(/^sources\.yaml:10 sources\.0\.sends\.PageViewed\.1: .*"contact\.email"/),
  ]);
  expect(problems(sends('      PageView: [url]\n'))).toEqual([`${one}.PageView: is not a setting that exists`]);
  expect(problems(sends('      PageViewed: [contact]\n'))).toEqual([expect.stringContaining(`${one}.PageViewed.0: `)]);
  expect(problems(sends('      PageViewed: []\n'))).toEqual([expect.stringContaining(`${one}.PageViewed: `)]);
  expect(problems(sends('      PageViewed: [url, url]\n'))).toEqual([`${one}.PageViewed: names a member twice`]);
});
