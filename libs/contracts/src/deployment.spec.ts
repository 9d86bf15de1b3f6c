import { expect, test } from 'vitest';
import { readDeployment } from './config.js';
import { problemLine } from './config-file.js';
import { deploymentFileOf, outsidersOf } from './deployment.js';
import { ourAgents } from './installed.js';
import { acls, type Deployment, isService, services, servicesOf, shippedDeployment, topology } from './topology.js';

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
      .filter((acl) => acl.principal === principal && acl.resource === 'topic' && acl.operations.includes('write'))
      .map(({ name }) => name);
  expect(mayWrite('seo-agent')).toEqual(['actions.proposed.seo-agent.v1', 'tasks.settled.seo-agent.v1']);
  expect(mayWrite('ledger')).toEqual(['actions.settled.ledger.v1', 'controls.confirmed.ledger.v1']);
  expect(mayWrite('shop')).toEqual(['signals.inbound.shop.v1']);
  expect(outsidersOf(added)).toEqual(['shop', 'seo-agent', 'ledger']);
  // What is sealed to our executor is not for one that runs elsewhere.
  const readers = topology(added).find(({ name }) => name === 'contact-points.v1')?.readers;
  expect(readers).toEqual(['action-executor', 'audit-recorder', 'signal-ingestion']);
});

test('an agent of ours reads approvals; one that runs elsewhere does not', () => {
  const added = deployed(file('agents: [paid-media-agent, seo-agent]\nexecutors: [ledger]\n'));
  const readers = topology(added).find(({ name }) => name === 'actions.approved.v1')?.readers;
  expect(readers).toEqual(['audit-recorder', 'console', 'ledger', 'orchestrator', 'paid-media-agent']);
});

test('an agent or an executor of ours that is not listed is no service of the installation, and has no topic', () => {
  const without = deployed(file('agents: [paid-media-agent]\nexecutors: [downstream]\n'));
  const otherAgents: readonly string[] = ourAgents.filter((name) => name !== 'paid-media-agent');
  expect(servicesOf(without)).toEqual(services.filter((s) => s !== 'action-executor' && !otherAgents.includes(s)));
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
])('%s is refused by its place', (_, rest, detail) => {
  expect(problems(file(rest))).toContainEqual(expect.stringContaining(detail));
});

test('a source that logs in has a login of its own, and every source a name of its own', () => {
  expect(problems(file('', source('console')))).toEqual([expect.stringContaining('"console" is a service')]);
  expect(problems(file('', source('shop', 'http') + source('shop', 'http')))).toEqual([
    'sources.yaml:3 sources.1.name: another source has "shop" already',
    'sources.yaml:3 sources.1.source: "shop" has the source /sources/shop already, and all that begins with it',
  ]);
  // One that posts to signal-ingestion has an API key and no login.
  expect(problems(file('agents: [shop-agent]\n', source('shop', 'http')))).toEqual([]);
});

test('a file that is missing is a problem like any other', () => {
  expect(readDeployment([])).toMatchObject({ ok: false, problems: [{ file: 'sources.yaml', detail: 'is missing' }] });
});

test('the file is that of SOURCES_FILE, else of CONFIG_DIR; an empty variable counts as not set', () => {
  expect(deploymentFileOf({ SOURCES_FILE: '/a.yaml', CONFIG_DIR: '/b' })).toBe('/a.yaml');
  expect(deploymentFileOf({ SOURCES_FILE: '', CONFIG_DIR: '/b/' })).toBe('/b/sources.yaml');
  expect(deploymentFileOf({ CONFIG_DIR: '' })).toBeUndefined();
});

test('a source declares what it sends; a type or a member that does not exist is refused with its line', () => {
  const sends = (declared: string) =>
    file('', `  - name: crm\n    via: http\n    source: /sources/crm\n    title: CRM\n    sends:\n${declared}`);
  const where = 'sources.yaml:7 sources.0.sends';
  expect(deployed(sends('      PageViewed: [contact.email, url]\n')).sources).toMatchObject([
    { sends: { PageViewed: ['contact.email', 'url'] } },
  ]);
  const unknown = problems(
    sends('      EmailOpened: [contact.ref]\n      PageViewed:\n        - url\n        - colour\n'),
  );
  expect(unknown).toEqual([
    expect.stringMatching(/^sources\.yaml:10 sources\.0\.sends\.PageViewed\.1: .*"contact\.email"/),
  ]);
  expect(problems(sends('      PageView: [url]\n'))).toEqual([
    `${where}.PageView: is not a setting that exists; did you mean "PageViewed"?`,
  ]);
  expect(problems(sends('      PageViewed: [contact]\n'))).toEqual([
    expect.stringContaining(`${where}.PageViewed.0: `),
  ]);
  expect(problems(sends('      PageViewed: []\n'))).toEqual([expect.stringContaining(`${where}.PageViewed: `)]);
  expect(problems(sends('      PageViewed: [url, url]\n'))).toEqual([`${where}.PageViewed: names a member twice`]);
});

test.each([
  ['who administers the broker', source('admin'), 'sources.yaml:2 sources.0.name: "admin" is reserved'],
  ['what the name of who administers it begins with', source('adm'), 'one of "adm" and "admin" begins with the other'],
  ['the mark of the installation', source('countersign'), '"countersign" is reserved'],
  ['what an agent begins with', source('paid-media'), 'one of "paid-media" and "paid-media-agent" begins with'],
  ['an executor', `${source('downstream')}executors: [downstream]\n`, '"downstream" is listed already'],
])('a source cannot have the name of %s', (_, sources, detail) => {
  expect(problems(file('', sources))).toContainEqual(expect.stringContaining(detail));
});

test('of two sources neither can use up the ids of the other, nor any those of ours', () => {
  const from = (name: string, at: string) => `  - { name: ${name}, via: http, source: "${at}", title: T }\n`;
  expect(problems(file('', from('a', '/s/a') + from('b', '/s/a') + from('c', '/s/a/c') + from('d', '/s/ab')))).toEqual([
    'sources.yaml:3 sources.1.source: "a" has the source /s/a already, and all that begins with it',
    'sources.yaml:4 sources.2.source: "a" has the source /s/a already, and all that begins with it',
  ]);
  expect(problems(file('', from('a', '/countersign/console')))).toEqual([
    expect.stringContaining("installation's own"),
  ]);
  expect(problems(file('', from('a', '/s/a b')))).toEqual([expect.stringContaining('printable ASCII')]);
});

test('nobody may read in the consumer group of another, whatever the names begin with', () => {
  // A broker may have been set up when such a name was still allowed.
  const sources = ['paid-media', 'a'].map((name) => ({ name, via: 'kafka', source: `/sources/${name}` }) as const);
  const found = acls(topology({ ...shippedDeployment, sources })).filter(
    ({ resource, operations }) => resource === 'group' && operations.includes('read'),
  );
  const mayRead = (group: string) =>
    found
      .filter(({ name, pattern }) => (pattern === 'literal' ? group === name : group.startsWith(name)))
      .map(({ principal }) => principal);
  for (const principal of new Set(found.map((acl) => acl.principal))) {
    expect(mayRead(principal)).toEqual([principal]);
    expect(mayRead(isService(principal) ? `${principal}.state.1` : `${principal}.1`)).toEqual([principal]);
  }
});
