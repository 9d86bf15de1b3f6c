import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ourAgents, sandboxPort, servicePorts, services, servicesOf, shippedDeployment } from '@countersign/contracts';
import { servicePlans } from '@countersign/local/compose';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
interface File {
  readonly path: string;
  readonly text: string;
}

/** Where what was shipped may stand for what is installed: the default of a service, what is generated of it, and the sample. */
const allowed: readonly (string | RegExp)[] = [
  'libs/runtime/src/api/settings.ts',
  /^libs\/contracts\//,
  /^deploy\/sample\//,
  // Of tests, without being tests themselves.
  /\/(testing|given)\.ts$/,
];

/** Product files that take the sources, agents and executors as shipped instead of those of the configuration. */
const shippedIn = (files: readonly File[]): string[] =>
  files
    .filter(({ text }) => /\bshippedDeployment\b|\btopology\(\s*\)/.test(text))
    .map(({ path }) => path)
    .filter((path) => !allowed.some((known) => (typeof known === 'string' ? known === path : known.test(path))));

const product = (): File[] =>
  ['apps/*/src/**/*.ts', 'libs/*/src/**/*.ts', 'tools/*/src/**/*.ts', 'deploy/*/src/**/*.ts']
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((path) => !path.endsWith('.spec.ts'))
    .map((path) => ({ path, text: read(path) }));

test('services, command line and setup take sources, agents and executors from the configuration', () => {
  expect(product().length).toBeGreaterThan(200);
  expect(shippedIn(product())).toEqual([]);
});

test('a planted use of what was shipped is found, by its name or as the default', () => {
  const path = 'tools/audit/src/planted.ts';
  const planted = (text: string) => shippedIn([...product(), { path, text }]);
  expect(planted('const topics = topology(shippedDeployment);')).toEqual([path]);
  expect(planted('const topics = topology();')).toEqual([path]);
  expect(planted('const topics = topology(deployment());')).toEqual([]);
});

test('the setup starts every service, on the port that the service itself has', () => {
  const programs = [...servicesOf(shippedDeployment), 'sandbox-systems'];
  expect(servicePlans.map(({ name }) => name).sort()).toEqual(programs.sort());
  expect([...servicesOf(shippedDeployment)]).toEqual([...services]);
  expect(ourAgents.filter((name) => !services.includes(name))).toEqual([]);
  for (const { name, port } of servicePlans) {
    if (name === 'sandbox-systems') {
      expect(port).toBe(sandboxPort);
      expect(read('apps/sandbox-systems/src/shell/settings.ts')).toMatch(/port: read\.PORT \?\? sandboxPort,/);
      continue;
    }
    expect(port, name).toBe(servicePorts[name]);
    expect(
      read(`apps/${name}/src/module.ts`),
      `take the port of ${name} from servicePorts of libs/contracts/src/topology.ts`,
    ).not.toMatch(/port: \d/);
  }
  expect(new Set(servicePlans.map(({ port }) => port)).size, 'two programs have one port').toBe(servicePlans.length);
});

/** Packages of ours that `tsc -b` of the root does not build. */
const unbuilt = (folders: readonly string[], references: readonly string[]): string[] =>
  folders.filter((folder) => !references.includes(folder));

test('every package is built: the root refers to it', () => {
  const folders = globSync('{libs,apps,tools,deploy}/*/tsconfig.json', { cwd: root }).map((path) => dirname(path));
  const { references } = JSON.parse(read('tsconfig.json')) as { references: { path: string }[] };
  const built = references.map(({ path }) => path);
  expect(folders.length).toBeGreaterThan(15);
  expect(unbuilt(folders, built), 'add these to references of tsconfig.json').toEqual([]);
  expect(unbuilt([...folders, 'apps/planted'], built)).toEqual(['apps/planted']);
});
