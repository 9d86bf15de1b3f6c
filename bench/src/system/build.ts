import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Running, StartOptions } from '@countersign/local';
import type { PostgresOptions } from '@countersign/servers';

/**
 * What a build must offer so that this benchmark can measure it. The load, the clock and the counters belong to this benchmark. The
 * build itself defines how it is started, which configuration and signals it understands, and how to see that it is at rest.
 */
export interface Build {
  readonly folder: string;
  startEverything(options: StartOptions): Promise<Started>;
  startPostgres(options: PostgresOptions): Promise<{ readonly url: string; stop(): Promise<void> }>;
  removeBroker(dir: string): Promise<void>;
  removePostgres(dir: string): Promise<void>;
  /** Writes the configuration of the benchmark into a folder. */
  configure(folder: string): void;
  /** The file of its signals: the generator, a process of its own, loads it. */
  readonly signals: string;
  readonly engagementId: typeof import('./signals.js').engagementId;
  readonly settledTopic: string;
  readonly knowPeople: typeof import('./people.js').knowPeople;
  readonly atRest: typeof import('./people.js').atRest;
}

/** What is started. Earlier builds told the superuser's URL in `run`. */
export type Started = Omit<Running, 'superuserUrl'> & {
  readonly superuserUrl?: string;
  readonly run: Running['run'] & { readonly database?: string };
};

/** The files of a build, and what each must export. */
const offers = {
  'deploy/local/dist/index.js': ['startEverything'],
  'libs/servers/dist/index.js': ['startPostgres', 'removePostgres', 'removeBroker'],
  'bench/dist/system/settings.js': ['configure'],
  'bench/dist/system/signals.js': ['known', 'engaged', 'engagementId', 'inboundTopic'],
  'bench/dist/system/ends.js': ['settledTopic'],
  'bench/dist/system/people.js': ['knowPeople', 'atRest'],
} as const;

/** Until November 2026 the servers were started by the package that starts everything. */
const before: Readonly<Record<string, string>> = { 'libs/servers/dist/index.js': 'deploy/local/dist/index.js' };

/** Loads the build in a folder. If something is missing, throws an Error that names it. */
export async function loadBuild(folder: string): Promise<Build> {
  const root = resolve(folder);
  if (!existsSync(root) || !statSync(root).isDirectory()) throw new Error(`${folder} is no folder of a build`);
  const found: Record<string, unknown> = {};
  for (const [file, names] of Object.entries(offers)) {
    const place = [file, before[file]].find((path) => path !== undefined && existsSync(join(root, path)));
    if (place === undefined)
      throw new Error(`${folder} has no ${file}: run \`npm ci\` and \`npm run build\` there, or take a later build`);
    const module: Record<string, unknown> = await import(pathToFileURL(join(root, place)).href);
    for (const name of names) {
      if (module[name] === undefined) throw new Error(`${join(folder, place)} exports no ${name}: take a later build`);
      found[name] = module[name];
    }
  }
  const signals = pathToFileURL(join(root, 'bench/dist/system/signals.js')).href;
  return { ...(found as unknown as Omit<Build, 'folder' | 'signals'>), folder: root, signals };
}
