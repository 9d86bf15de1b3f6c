import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type SettingsModule, settingsParts } from './parts.js';

/** The third part of `npm run generate`: the tables of `docs/configuration.md`; with `--check` it writes nothing and fails where they are stale. */
const root = process.cwd();
const page = 'docs/configuration.md';
const built = async (file: string): Promise<SettingsModule> =>
  (await import(
    pathToFileURL(join(root, file.replace('/src/', '/dist/').replace(/\.ts$/, '.js'))).href
  )) as SettingsModule;
const current = readFileSync(join(root, page), 'utf8');
const wanted = await settingsParts(current, built);
if (current === wanted) {
  process.stdout.write(`${page} is up to date\n`);
} else if (process.argv.includes('--check')) {
  process.stdout.write(`stale:\n  ${page}\n`);
  process.exitCode = 1;
} else {
  writeFileSync(join(root, page), wanted);
  process.stdout.write(`written:\n  ${page}\n`);
}
