import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { actionKinds, readConfig, readFolder, servicePorts } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { newAgent, Unfit } from './new-agent.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string | undefined =>
  fs.existsSync(join(root, path)) ? fs.readFileSync(join(root, path), 'utf8') : undefined;
/** Not the name of the recipe in AGENTS.md: whoever follows it would make this agent. */
const made = new Map(
  newAgent('unheard-of-agent', ['crm.create_task', 'email.send'], read).map(({ path, content }) => [path, content]),
);
const textOf = (path: string): string => made.get(path) ?? '';

test('a new agent is an app of its own in which nothing is called as in the one that it was made from', () => {
  const app = [...made.keys()].filter((path) => path.startsWith('apps/'));
  expect(app.sort()).toEqual([
    'apps/unheard-of-agent/README.md',
    'apps/unheard-of-agent/package.json',
    'apps/unheard-of-agent/src/core/unheard-of-rules.spec.ts',
    'apps/unheard-of-agent/src/core/unheard-of-rules.ts',
    'apps/unheard-of-agent/src/main.ts',
    'apps/unheard-of-agent/src/module.ts',
    'apps/unheard-of-agent/tsconfig.json',
  ]);
  expect(app.filter((path) => /paid.?media/i.test(textOf(path)))).toEqual([]);
  expect(textOf('apps/unheard-of-agent/src/module.ts')).toContain(
    "import { unheardOfRules } from './core/unheard-of-rules.js';",
  );
  expect(textOf('apps/unheard-of-agent/src/module.ts')).toContain("kinds: agentKinds['unheard-of-agent']");
  expect(textOf('apps/unheard-of-agent/src/main.ts')).toContain('await serve(UnheardOfModule, spec);');
});

test('its name, a free port, its kinds and its package stand in the lists that have to know them', () => {
  const taken: readonly number[] = Object.values(servicePorts);
  const port = Number(/'unheard-of-agent': (\d+),/.exec(textOf('libs/contracts/src/topology.ts'))?.[1]);
  expect(port).toBeGreaterThan(Math.max(...taken));
  expect(textOf('libs/contracts/src/installed.ts')).toContain("'unheard-of-agent': ['crm.create_task', 'email.send'],");
  expect(JSON.parse(textOf('tsconfig.json')).references).toContainEqual({ path: 'apps/unheard-of-agent' });
  expect(JSON.parse(textOf('tools/openapi/tsconfig.json')).references).toContainEqual({
    path: '../../apps/unheard-of-agent',
  });
  expect(textOf('docs/configuration.md')).toContain(`\`UNHEARD_OF_AGENT_PORT\` | 8081 … ${port} in this order`);
});

test.each([['crm.create_task', 'email.send'], ...Object.keys(actionKinds).map((kind) => [kind])])(
  'its charter for %s fits the shipped configuration, and a person decides each action',
  (...kinds) => {
    const path = 'charters/unheard-of-agent.yaml';
    const files = newAgent('unheard-of-agent', kinds, read);
    const text = files.find((file) => file.path === `deploy/config/${path}`)?.content ?? '';
    const shipped = readFolder(join(root, 'deploy/config'), fs);
    const installed = readConfig(shipped);
    if (!installed.ok) throw new Error('the shipped configuration is not valid');
    const { deployment } = installed;
    const agents = [...deployment.agents, 'unheard-of-agent'];
    const found = readConfig([...shipped, { path, text }], { ...deployment, agents });
    expect(found.ok ? [] : found.problems).toEqual([]);
    const charter = found.ok ? found.content.charters.find(({ agent }) => agent === 'unheard-of-agent') : undefined;
    expect(charter?.firstReviewed).toBe(50);
    expect(charter?.kinds).toEqual(Object.fromEntries(kinds.map((kind) => [kind, 'suggest'])));
  },
);

test.each([
  ['Nurture', ['email.send'], /no name of an agent/],
  ['unheard-of', ['email.send'], /the last is "agent"/],
  ['paid-media-agent', ['email.send'], /is there already/],
  ['unheard-of-agent', [], /at least one kind/],
  ['unheard-of-agent', ['email.shout'], /no kind of action "email.shout": the kinds are .*email\.send/],
])('%s with %j is refused with what is expected', (name, kinds, message) => {
  expect(() => newAgent(name, kinds, read)).toThrow(Unfit);
  expect(() => newAgent(name, kinds, read)).toThrow(message);
});

test('outside the repository it says where to call it', () => {
  expect(() => newAgent('unheard-of-agent', ['email.send'], () => undefined)).toThrow(/in the root of the repository/);
});
