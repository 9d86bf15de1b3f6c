import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadBuild } from './build.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'build-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (file: string, ...names: string[]): void => {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), names.map((name) => `export const ${name} = '${name} of ${file}';\n`).join(''));
};
const rest = (): void => {
  write('package.json');
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  write('bench/dist/system/settings.js', 'configure');
  write('bench/dist/system/signals.js', 'known', 'engaged', 'engagementId', 'inboundTopic');
  write('bench/dist/system/ends.js', 'settledTopic');
  write('bench/dist/system/people.js', 'knowPeople', 'atRest');
};

test('a build is loaded from its own files', async () => {
  rest();
  write('deploy/local/dist/index.js', 'startEverything');
  write('libs/servers/dist/index.js', 'startPostgres', 'removePostgres', 'removeBroker');
  const build = await loadBuild(folder);
  expect(build).toMatchObject({
    folder,
    startPostgres: 'startPostgres of libs/servers/dist/index.js',
    settledTopic: 'settledTopic of bench/dist/system/ends.js',
  });
  expect(build.signals).toMatch(/^file:.*\/bench\/dist\/system\/signals\.js$/);
});

test('a build of the time when one package started servers and services is loaded too', async () => {
  rest();
  write('deploy/local/dist/index.js', 'startEverything', 'startPostgres', 'removePostgres', 'removeBroker');
  expect(await loadBuild(folder)).toMatchObject({ startPostgres: 'startPostgres of deploy/local/dist/index.js' });
});

test('what a build does not offer is named', async () => {
  await expect(loadBuild(join(folder, 'nowhere'))).rejects.toThrow('nowhere is no folder of a build');
  await expect(loadBuild(folder)).rejects.toThrow(
    /has no deploy\/local\/dist\/index\.js: run `npm ci` and `npm run build`/,
  );
  rest();
  write('deploy/local/dist/index.js', 'startEverything', 'startPostgres', 'removePostgres');
  await expect(loadBuild(folder)).rejects.toThrow(/exports no removeBroker/);
});
