// `npm run lock`: writes the lock file and completes it. A registry that does not carry a tool's binaries for other platforms
// leaves them out of a fresh lock, and `npm ci` then refuses it everywhere; an entry with version, os and cpu is enough.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = [
  'linux',
  'darwin',
  'win32',
  'windows',
  'freebsd',
  'openbsd',
  'netbsd',
  'android',
  'aix',
  'sunos',
  'openharmony',
];
const processors = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32'];

const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, wanted] of Object.entries(entry.optionalDependencies ?? {})) {
    // The lowest version of a range satisfies it too.
    const version = wanted.replace(/^[~^]/, '');
    const words = name.split(/[@/\-_]/);
    const os = systems.find((system) => words.includes(system));
    const cpu = processors.find((processor) => words.includes(processor));
    const nested = path === '' ? undefined : lock.packages[`${path}/node_modules/${name}`];
    if (lock.packages[`node_modules/${name}`] || nested || !/^\d/.test(version)) continue;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu && { cpu: [cpu] }),
      ...(entry.dev && { dev: true }),
      optional: true,
      ...(os && { os: [os === 'windows' ? 'win32' : os] }),
    };
    added.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(
  added.length === 0 ? 'the lock file is complete\n' : `added to the lock file:\n  ${added.join('\n  ')}\n`,
);
