import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { services, servicesOf, shippedDeployment } from '@countersign/contracts';
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

/** The port that a service's own module and the command line say, by service. */
const portIn = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1]);

test('a service, the setup and the command line say the same port of it, and the setup starts every service', () => {
  const programs = [...servicesOf(shippedDeployment), 'sandbox-systems'];
  expect(servicePlans.map(({ name }) => name).sort()).toEqual(programs.sort());
  expect([...servicesOf(shippedDeployment)]).toEqual([...services]);
  const cli = read('libs/client/src/core/installation.ts');
  for (const { name, port } of servicePlans) {
    if (name === 'sandbox-systems') {
      expect(portIn(read('apps/sandbox-systems/src/shell/settings.ts'), /env\.PORT \|\| (\d+)/)).toBe(port);
      continue;
    }
    expect(portIn(read(`apps/${name}/src/module.ts`), /port: (\d+)/), name).toBe(port);
    expect(portIn(cli, new RegExp(`^ {2}'?${name}'?: (\\d+)`, 'm')), name).toBe(port);
  }
});
