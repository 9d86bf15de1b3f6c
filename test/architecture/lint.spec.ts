import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let twin: string;

/** A twin of the project with its real lint configuration and manifests, and nothing else in it. */
beforeAll(() => {
  twin = mkdtempSync(join(tmpdir(), 'lint-'));
  const config = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
  writeFileSync(join(twin, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }));
  for (const path of [
    'test/architecture/rules',
    ...globSync(['package.json', '{libs,apps,tools}/*/package.json'], { cwd: root }),
  ]) {
    cpSync(join(root, path), join(twin, path), { recursive: true });
  }
});
afterAll(() => rmSync(twin, { recursive: true, force: true }));

interface Diagnostic {
  readonly severity: string;
  readonly message: string;
  readonly location: { readonly path: string };
}

/** How the linter ends over these files of the twin, in one run, and the errors of each file. */
function lint(files: ReadonlyMap<string, string>): { exit: number | null; errors: ReadonlyMap<string, string[]> } {
  for (const [path, code] of files) {
    mkdirSync(dirname(join(twin, path)), { recursive: true });
    writeFileSync(join(twin, path), code);
  }
  const { stdout, stderr, status } = spawnSync(
    'biome',
    ['lint', '--reporter=json', '--max-diagnostics=none', ...files.keys()],
    { cwd: twin, encoding: 'utf8' },
  );
  for (const path of files.keys()) rmSync(join(twin, path));
  if (!stdout.startsWith('{')) throw new Error(`biome did not answer: ${stderr}`);
  const { summary, diagnostics } = JSON.parse(stdout) as { summary: object; diagnostics: Diagnostic[] };
  // Else a file that the linter passes over would seem to have no errors.
  expect(summary).toMatchObject({ unchanged: files.size });
  const errors = Map.groupBy(
    diagnostics.filter(({ severity }) => severity === 'error'),
    ({ location }) => location.path,
  );
  return {
    exit: status,
    errors: new Map([...errors].map(([path, found]) => [path, found.map((diagnostic) => JSON.stringify(diagnostic))])),
  };
}

/** One planted violation per rule: a rule that can be disarmed unseen is no rule. */
const planted: { rule: string; path: string; code: string; detail: RegExp }[] = [
  {
    rule: 'core does no I/O',
    path: 'apps/orchestrator/src/core/planted.ts',
    code: `import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n`,
    detail: /core is pure: no I\/O/,
  },
  {
    rule: 'core knows no framework',
    path: 'apps/guardrail-validator/src/core/planted.ts',
    code: `import { Injectable } from '@nestjs/common';\nexport const a = Injectable;\n`,
    detail: /core is pure: no I\/O and no framework/,
  },
  {
    rule: 'the pages import no package of ours',
    path: 'apps/console-web/src/parts/planted.tsx',
    code: `import { money } from '@countersign/contracts';\nexport const a = money;\n`,
    detail: /the pages run in a browser/,
  },
  {
    rule: 'the pages import nothing of Node',
    path: 'apps/console-web/src/parts/planted.tsx',
    code: `import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n`,
    detail: /the pages run in a browser/,
  },
  ...['Date.now()', 'new Date()', '[Date.now]'].map((how) => ({
    rule: `the pages do not read the browser's clock by ${how}`,
    path: 'apps/console-web/src/parts/planted.tsx',
    code: `export const a = () => ${how};\n`,
    detail: /a browser's clock may be wrong/,
  })),
  {
    rule: 'core knows no shell',
    path: 'apps/console/src/core/planted.ts',
    code: `import { Store } from '../shell/store.js';\nexport const a = Store;\n`,
    detail: /core knows no shell/,
  },
  {
    rule: 'core reads no clock',
    path: 'apps/orchestrator/src/core/planted.ts',
    code: 'export const a = () => Date.now();\n',
    detail: /time is an input/,
  },
  {
    rule: 'core makes no date of now',
    path: 'libs/gate/src/planted.ts',
    code: 'export const a = () => new Date();\n',
    detail: /time is an input/,
  },
  {
    rule: 'core throws no dice',
    path: 'apps/signal-ingestion/src/core/planted.ts',
    code: 'export const a = () => Math.random();\n',
    detail: /chance is an input/,
  },
  {
    rule: 'core makes no random id',
    path: 'libs/contracts/src/planted.ts',
    code: `import { randomUUID } from 'node:crypto';\nexport const a = () => randomUUID();\n`,
    detail: /ids are derived/,
  },
  {
    rule: 'core reads no environment',
    path: 'libs/record/src/planted.ts',
    code: 'export const a = () => process.env.X;\n',
    detail: /no environment/,
  },
  {
    rule: 'contracts stand on nothing of ours',
    path: 'libs/contracts/src/planted.ts',
    code: `import { judge } from '@countersign/gate';\nexport const a = judge;\n`,
    detail: /dependencies point one way/,
  },
  {
    rule: 'the gate does not know the runtime',
    path: 'libs/gate/src/planted.ts',
    code: `import { RUNTIME } from '@countersign/runtime';\nexport const a = RUNTIME;\n`,
    detail: /dependencies point one way/,
  },
  {
    rule: 'the record stands alone',
    path: 'libs/record/src/planted.ts',
    code: `import { topology } from '@countersign/contracts';\nexport const a = topology;\n`,
    detail: /dependencies point one way/,
  },
  {
    rule: 'the runtime does not know the gate',
    path: 'libs/runtime/src/planted.ts',
    code: `import { judge } from '@countersign/gate';\nexport const a = judge;\n`,
    detail: /dependencies point one way/,
  },
  {
    rule: 'the agent lib does not know the gate',
    path: 'libs/agent/src/planted.ts',
    code: `import { judge } from '@countersign/gate';\nexport const a = judge;\n`,
    detail: /dependencies point one way/,
  },
  {
    rule: 'a product leans on no test code',
    path: 'apps/console/src/shell/planted.ts',
    code: `import { createTestDatabase } from '@countersign/testing';\nexport const a = createTestDatabase;\n`,
    detail: /a product never leans/,
  },
  {
    rule: 'a key from outside is looked up as what a record itself has',
    path: 'libs/gate/src/planted.ts',
    code: 'export const a = (r: Record<string, number>, id: string) => r[id];\n',
    detail: /read with own\(\)/,
  },
  {
    rule: 'a key of a member is no other',
    path: 'apps/signal-ingestion/src/core/planted.ts',
    code: 'type S = { id: string };\nexport const a = (r: { c: Record<string, number> }, s: S) => r?.c[s.id];\n',
    detail: /read with own\(\)/,
  },
  {
    rule: 'whether a record has a key is not asked with `in`',
    path: 'libs/agent/src/core/planted.ts',
    code: 'export const a = (r: object, id: string) => id in r;\n',
    detail: /asked with Object\.hasOwn/,
  },
  ...['r[id] = 1', 'r[s.id] = 1', "r[id + 'a'] = 1", 'r[id] ??= 1', 'r[id] ||= 1', 'r[id] += 1'].map((how) => ({
    rule: `a record is not filled by ${how}`,
    path: 'libs/gate/src/planted.ts',
    code: `export const a = (r: Record<string, number>, id: string, s: { id: string }) => {\n  ${how};\n  return s;\n};\n`,
    detail: /made with Object\.fromEntries/,
  })),
  ...['Object.assign(r, s)', 'Object.assign({}, r, s)'].map((how) => ({
    rule: `records are not joined by ${how}`,
    path: 'tools/replay/src/planted.ts',
    code: `export const a = (r: object, s: object) => ${how};\n`,
    detail: /joined by \{ \.\.\.one/,
  })),
  ...['json', 'text', 'arrayBuffer'].map((how) => ({
    rule: `a body is read to a bound, not by ${how}()`,
    path: 'apps/console/src/shell/planted.ts',
    code: `export const a = async (url: string) => (await fetch(url)).${how}();\n`,
    detail: /it may never end/,
  })),
  ...['', 'fs.'].map((prefix) => ({
    rule: `a file is read to a bound, not by ${prefix}readFileSync()`,
    path: 'apps/console/src/shell/planted.ts',
    code: `import fs, { readFileSync } from 'node:fs';\nexport const b = [fs, readFileSync];\nexport const a = (file: string) => ${prefix}readFileSync(file, 'utf8');\n`,
    detail: /it may be of any size/,
  })),
  ...[
    'export const a = (of: number) => of;',
    'export const a = ({ is }: { is: number }) => is;',
    'export const a = ({ row: told }: { row: number }) => told;',
    'export const a = (rows: number[]) => rows.map((one) => one);',
    'export const said = 1;',
    'export function tell() {}',
  ].map((code) => ({
    rule: `a name says what the thing is: ${code}`,
    path: 'apps/console/src/shell/planted.ts',
    code: `${code}\n`,
    detail: /a plain noun or verb in place of a pronoun/,
  })),
  ...[
    'export function tellAgents() {}',
    'export const f = (keptRows: number) => keptRows;',
    'export const MOST_KEPT = 1;',
    'export type SaidVerdict = string;',
    'export interface Teller {}',
    'export interface A { readonly healthTells: number }',
    'export class A { private keepPlan() {} }',
    'export class A { #told = 1; }',
    'export const a = { actionSays: 1 };',
    'export const f = ({ row: kept }: { row: number }) => kept;',
  ].map((code) => ({
    rule: `a name uses the field's word: ${code}`,
    path: 'apps/console/src/shell/planted.ts',
    code: `${code}\n`,
    detail: /describe, text or answer in place of say/,
  })),
];

/** Every violation in a file of its own, so that one run sees all. */
const files = planted.map((plant, index) => ({ ...plant, path: plant.path.replace('planted', `planted-${index}`) }));
let refused: ReturnType<typeof lint>;
beforeAll(() => {
  refused = lint(new Map(files.map(({ path, code }) => [path, code])));
});

test.each(files)('$rule: a planted violation is refused', ({ path, detail }) => {
  expect(refused.errors.get(path)?.join('\n')).toMatch(detail);
  expect(refused.exit).toBe(1);
});

test('places in a list and members of a closed list are no keys from outside', () => {
  const code =
    'export const a = (l: number[], i: number, r: { a: number }) => [l[0], l[i], l[l.length - 1], r.a, "a" in r];\n' +
    'export const b = (l: number[], n: number, r: { a: number }, m: Record<string, number>, id: string) => {\n' +
    `  l[0] = 1;\n  l[n] = 2;\n  r.a = 3;\n  m[\`consent:\${id}\`] = 4;\n` +
    '  return { ...r, [id]: new Map([[id, l]]) };\n};\n';
  expect(lint(new Map([['libs/gate/src/planted.ts', code]]))).toEqual({ exit: 0, errors: new Map() });
});

test('a name that only begins or ends like such a form, and a member that a contract names, are no violation', () => {
  const code =
    'export const essay = 1;\nexport const retold = { keepsake: 2, keepAlive: true };\n' +
    'export const f = ({ kept }: { readonly kept: string }) => kept;\n';
  expect(lint(new Map([['apps/console/src/shell/planted.ts', code]]))).toEqual({ exit: 0, errors: new Map() });
});

test('the same places without the violation pass, so it is the rule that refuses', () => {
  const clean = new Map(files.map(({ path }) => [path, 'export const a = 1;\n']));
  expect(lint(clean)).toEqual({ exit: 0, errors: new Map() });
});
