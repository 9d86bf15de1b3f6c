import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { artifacts, withPart } from './artifacts.js';

/** `npm run generate`: writes every artifact. With `--check` it writes nothing and fails if one is out of date. */
const root = fileURLToPath(new URL('../../../../', import.meta.url));
const check = process.argv.includes('--check');
const stale: string[] = [];
for (const { path, part, content } of artifacts()) {
  const file = join(root, path);
  const current = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  const wanted = part ? withPart(current ?? '', part, content) : content;
  if (current === wanted) continue;
  stale.push(path);
  if (check) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, wanted);
}
process.stdout.write(
  stale.length === 0
    ? 'everything generated is up to date\n'
    : `${check ? 'stale' : 'written'}:\n${stale.map((s) => `  ${s}`).join('\n')}\n`,
);
if (check && stale.length > 0) process.exitCode = 1;
