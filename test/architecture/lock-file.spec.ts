import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/* `npm ci` stops where package.json files and the lock file differ, and says little of it; this says what to run. */

const root = join(import.meta.dirname, '../..');
const json = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));

interface Manifest {
  readonly name?: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
  readonly link?: boolean;
}
type Lock = Readonly<Record<string, Manifest>>;

const mend = 'run npm run lock';

/** What of the workspace's packages the lock file does not say, a line each. Paths are those of the packages' folders. */
function missingIn(lock: Lock, manifests: ReadonlyMap<string, Manifest>): readonly string[] {
  const problems: string[] = [];
  for (const [path, manifest] of manifests) {
    const locked = lock[path];
    if (!locked) {
      problems.push(`${path || 'the root'} is not in package-lock.json: ${mend}`);
      continue;
    }
    for (const group of ['dependencies', 'devDependencies', 'optionalDependencies'] as const)
      if (JSON.stringify(sorted(manifest[group])) !== JSON.stringify(sorted(locked[group])))
        problems.push(`${path || 'the root'}: ${group} differ between package.json and package-lock.json: ${mend}`);
    const link = lock[`node_modules/${manifest.name}`];
    if (path !== '' && (link?.resolved !== path || !link.link))
      problems.push(`${manifest.name} is not linked to ${path} in package-lock.json: ${mend}`);
  }
  for (const [name, { link, resolved }] of Object.entries(lock))
    if (link && !manifests.has(resolved ?? '')) problems.push(`${name} leads to ${resolved}, which is gone: ${mend}`);
  return problems;
}

const sorted = (group: Readonly<Record<string, string>> = {}) =>
  Object.entries(group).sort(([a], [b]) => (a < b ? -1 : 1));

const manifest: Manifest = json('package.json');
const manifests = new Map<string, Manifest>([
  ['', manifest],
  ...(manifest.workspaces ?? [])
    .flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }))
    .map((path): [string, Manifest] => [path.replace(/\/package\.json$/, ''), json(path)]),
]);
const lock: Lock = json('package-lock.json').packages;

test('every package of the workspace is in the lock file, with its dependencies', () => {
  expect(manifests.size).toBeGreaterThan(15);
  expect(missingIn(lock, manifests)).toEqual([]);
});

test('a package that is new, changed or gone is named, with the command that mends it', () => {
  const added = new Map(manifests).set('libs/planted', {
    name: '@countersign/planted',
    dependencies: { zod: '4.6.7' },
  });
  expect(missingIn(lock, added)).toEqual([`libs/planted is not in package-lock.json: ${mend}`]);
  const gate = manifests.get('libs/gate');
  const changed = new Map(manifests).set('libs/gate', { ...gate, dependencies: { zod: '4.0.0' } });
  expect(missingIn(lock, changed)).toEqual([
    `libs/gate: dependencies differ between package.json and package-lock.json: ${mend}`,
  ]);
  const gone = new Map([...manifests].filter(([path]) => path !== 'libs/gate'));
  expect(missingIn(lock, gone)).toEqual([`node_modules/@countersign/gate leads to libs/gate, which is gone: ${mend}`]);
});
