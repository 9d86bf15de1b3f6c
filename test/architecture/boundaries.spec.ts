import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { services, type TopicOf, topics, topology } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = (pattern: string): string[] =>
  globSync(pattern, { cwd: root }).filter(
    (path) => !path.includes('node_modules') && !path.includes('/dist/') && !/\.spec\.ts$/.test(path),
  );

interface Manifest {
  name: string;
  exports?: unknown;
  dependencies?: Record<string, string>;
}
const manifests = (): { path: string; manifest: Manifest }[] =>
  ['libs/*', 'apps/*', 'deploy/*', 'tools/*']
    .flatMap((at) => globSync(`${at}/package.json`, { cwd: root }))
    .map((path) => ({ path, manifest: JSON.parse(read(path)) as Manifest }));

/** Which libs a package may lean on. */
const layers: Record<string, readonly string[]> = {
  contracts: [],
  record: [],
  kafka: [],
  telemetry: [],
  gate: ['contracts'],
  runtime: ['contracts', 'kafka', 'telemetry'],
  client: ['contracts', 'kafka'],
  audit: ['client', 'contracts', 'gate', 'kafka', 'record'],
  probe: ['client', 'contracts', 'gate', 'kafka', 'record'],
  replay: ['client', 'contracts', 'gate', 'kafka', 'record'],
  servers: ['contracts', 'kafka'],
  testing: ['kafka', 'servers'],
  agent: ['contracts', 'runtime', 'telemetry'],
};

/** Dependencies of ours that a manifest should not have. */
function wrongDependencies(path: string, manifest: Manifest): string[] {
  const ours = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@countersign/'));
  const name = manifest.name.replace('@countersign/', '');
  if (path.startsWith('apps/'))
    return ours.filter(
      (d) =>
        [...services, 'sandbox-systems'].some((s) => d === `@countersign/${s}`) ||
        ['testing', 'servers', 'local', 'sample'].some((d2) => d === `@countersign/${d2}`),
    );
  const allowed = layers[name];
  return allowed ? ours.filter((d) => !allowed.includes(d.replace('@countersign/', ''))) : [];
}

/** Values that a text imports from TypeORM as soon as it is loaded; types cost nothing. */
const loadsTypeorm = (text: string): boolean =>
  /^(?:import (?!type )[^;]*?|export [^;]*?)from 'typeorm'|^import 'typeorm'/m.test(text);

describe('boundaries between packages', () => {
  test('TypeORM is loaded only where migrations have to run', () => {
    const planted = "import { DataSource } from 'typeorm';";
    expect(loadsTypeorm(planted)).toBe(true);
    expect(loadsTypeorm("import type { QueryRunner } from 'typeorm';")).toBe(false);
    expect(sources('{apps,libs,tools,deploy}/**/src/**/*.ts').filter((path) => loadsTypeorm(read(path)))).toEqual([]);
  });

  test('dependencies point one way', () => {
    for (const { path, manifest } of manifests()) expect(wrongDependencies(path, manifest), path).toEqual([]);
  });

  test('a planted dependency the wrong way is found', () => {
    expect(
      wrongDependencies('libs/contracts/package.json', {
        name: '@countersign/contracts',
        dependencies: { '@countersign/runtime': '0.1.0' },
      }),
    ).toEqual(['@countersign/runtime']);
    expect(
      wrongDependencies('apps/console/package.json', {
        name: '@countersign/console',
        dependencies: { '@countersign/orchestrator': '0.1.0' },
      }),
    ).toEqual(['@countersign/orchestrator']);
  });

  test('no app can be imported: none has exports', () => {
    for (const { path, manifest } of manifests())
      if (path.startsWith('apps/')) expect(manifest.exports, path).toBeUndefined();
  });

  /** Files that name a package in an import. */
  const importersOf = (name: string, files: readonly { path: string; text: string }[]): string[] =>
    files.filter(({ text }) => new RegExp(`(from|import\\() ?['"]${name}['"/]`).test(text)).map(({ path }) => path);

  test('kafkajs is imported in one folder, where its faults are mended', () => {
    const files = globSync('{apps,libs,deploy,tools,bench,test}/**/*.{ts,tsx,mjs}', { cwd: root })
      .filter((path) => !path.includes('node_modules') && !path.includes('/dist/'))
      .map((path) => ({ path, text: read(path) }));
    // It shows what somebody without our code needs, so it has kafkajs as npm gives it.
    const client = 'test/flows/outside-client.mjs';
    const own = ['libs/kafka/src/index.ts', 'libs/kafka/src/topic-ids.ts'];
    expect(importersOf('kafkajs', files).sort()).toEqual([...own, client]);
    for (const path of ['apps/console/src/shell/planted.ts', 'bench/src/planted.ts', 'test/faults/planted.spec.ts']) {
      const planted = { path, text: `import type { Admin } from '${'kafkajs'}';` };
      expect(importersOf('kafkajs', [...files, planted])).toContain(path);
    }
  });

  /** What Nest loads by itself: no source names it. */
  const loaded = /^(@nestjs\/(core|microservices|platform-fastify)|reflect-metadata|rxjs)$/;
  /** Packages of others that a manifest names and no file of its folder does. */
  const unused = ({ dependencies = {} }: Manifest, files: readonly { text: string }[]): string[] =>
    Object.keys(dependencies).filter(
      (name) =>
        !name.startsWith('@countersign/') &&
        !loaded.test(name) &&
        !files.some(({ text }) => new RegExp(`['"]${name}['"/]`).test(text)),
    );

  test('whatever a package depends on is used there', () => {
    for (const { path, manifest } of manifests()) {
      const files = globSync(`${dirname(path)}/**/*.{ts,tsx,mjs}`, { cwd: root })
        .filter((file) => !file.includes('node_modules') && !file.includes('/dist/'))
        .map((file) => ({ path: file, text: read(file) }));
      expect(unused(manifest, files), path).toEqual([]);
      const planted = { ...manifest, dependencies: { ...manifest.dependencies, recharts: '3.11.1' } };
      expect(unused(planted, files), path).toEqual(['recharts']);
    }
  });

  test('a relative import into another project does not compile', () => {
    const dir = mkdtempSync(join(tmpdir(), 'planted-'));
    try {
      const at = (path: string, text: string): void => {
        mkdirSync(dirname(join(dir, path)), { recursive: true });
        writeFileSync(join(dir, path), text);
      };
      at(
        'apps/a/tsconfig.json',
        JSON.stringify({
          extends: join(root, 'tsconfig.base.json'),
          compilerOptions: { rootDir: 'src', outDir: 'dist', types: [] },
          include: ['src'],
        }),
      );
      at('apps/a/src/main.ts', `import { secret } from '../../b/src/secret.js';\nexport const a = secret;\n`);
      at('apps/b/src/secret.ts', 'export const secret = 1;\n');
      const { stdout, status } = spawnSync('tsc', ['-p', join(dir, 'apps/a')], { encoding: 'utf8' });
      expect(stdout).toMatch(/TS6059|TS6307/);
      expect(status).not.toBe(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('no lib is a drawer for everything', () => {
    const names = globSync('libs/*', { cwd: root }).map((path) => path.replace('libs/', ''));
    for (const drawer of ['common', 'shared', 'utils', 'core', 'types', 'config']) expect(names).not.toContain(drawer);
  });
});

/** Files that write a topic, by what it is called in code or by its literal name: as an argument of what sends, or as a member of it. */
const writersOf = (topic: keyof typeof topics, files: readonly { path: string; text: string }[]): string[] => {
  const { name } = topics[topic] as TopicOf;
  const called = `(topics\\.${topic}\\b|['"\`]${name.replaceAll('.', '\\.')}['"\`])`;
  const writes = new RegExp(`topic:\\s*${called}|\\b(send|emit|write|publish)\\([^;)]*${called}`);
  return files.filter(({ text }) => writes.test(text)).map(({ path }) => path);
};

/** The probe forges approvals, under a login that its operator hands it, to show that none of them runs. */
const forger = 'tools/probe/src/run.ts';

describe('the gate has one entry', () => {
  const files = (): { path: string; text: string }[] =>
    sources('{apps,libs,tools}/*/src/**/*.ts').map((path) => ({ path, text: read(path) }));

  test('only the validator writes approvals', () => {
    const writers = writersOf('actionsApproved', files());
    expect(writers.length).toBeGreaterThan(0);
    for (const path of writers) if (path !== forger) expect(path).toMatch(/^apps\/guardrail-validator\//);
    expect(topology().find((t) => t.name === 'actions.approved.v1')?.writer).toBe('guardrail-validator');
  });

  test('a planted second writer is found', () => {
    const planted = {
      path: 'apps/paid-media-agent/src/shell/planted.ts',
      text: `batch.emit(cause, topics.actionsApproved, { key, data })`,
    };
    expect(writersOf('actionsApproved', [...files(), planted])).toContain(planted.path);
    for (const text of [
      `await wire.send('agent', 'actions.approved.v1', key, event)`,
      `await producer.send({ topic: 'actions.approved.v1', messages })`,
    ])
      expect(writersOf('actionsApproved', [{ ...planted, text }])).toContain(planted.path);
  });

  test('every topic has one writer, and none but its writer is permitted to write it', () => {
    const names = topology().map((t) => t.name);
    expect(new Set(names).size).toBe(names.length);
  });
});
