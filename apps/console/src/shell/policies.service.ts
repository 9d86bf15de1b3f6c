import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import {
  type ConfigFile,
  type ConfigProblem,
  policyDigests,
  problemLine,
  type ReadConfig,
  readConfig,
  readFolder,
  topics,
} from '@countersign/contracts';
import { deployment, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Person, unanswerable } from '../core/people.js';
import { Store } from './console.repository.js';
import { PEOPLE } from './settings.js';

export type Publication =
  | { readonly ok: true; readonly changed: boolean; readonly version: number; readonly digest: string }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Publishes the configuration folder as the policy in force. What is invalid is never published: the bundle in force stays. */
@Injectable()
export class Policies implements OnApplicationBootstrap {
  private readonly log = new Logger('policies');

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(PEOPLE) private readonly people: readonly Person[],
  ) {}

  /** The first start of an installation publishes its policy; after that only a person does. */
  async onApplicationBootstrap(): Promise<void> {
    const inForce = await this.store.policy();
    const read = readConfigDir(process.env.CONFIG_DIR);
    if (!read.ok) {
      for (const found of read.problems) this.log.error(problemLine(found));
      if (!inForce)
        throw new Error(`CONFIG_DIR is not valid (${read.problems.length} problems) and no policy is in force`);
      this.log.error(`CONFIG_DIR is not valid; policy ${inForce.version} stays in force`);
      return;
    }
    this.warn(read);
    if (!inForce) {
      const first = await this.publish('console');
      if (first.ok) this.log.log(`policy ${first.version} (${first.digest.slice(0, 12)}) published: it is the first`);
      return;
    }
    const current = `policy ${inForce.version} (${inForce.digest.slice(0, 12)})`;
    if (policyDigests(read.content).digest === inForce.digest)
      this.log.log(`${current} is in force, as CONFIG_DIR says`);
    else
      this.log.warn(
        `${current} stays in force; CONFIG_DIR differs from it and was not published: read it, then run countersign policy publish`,
      );
  }

  /** Reads the folder and publishes it as one bundle if it is valid and differs from the one in force. */
  async publish(by: string): Promise<Publication> {
    const read = readConfigDir(process.env.CONFIG_DIR);
    if (!read.ok) return read;
    this.warn(read);
    const { content } = read;
    const { digest, parts } = policyDigests(content);
    const id = randomUUID();
    const cause = { source: '/countersign/console', id, correlationid: id };
    const done = await this.runtime.transact(cause, async (work) => {
      const current = (await work.ownState(topics.policies, ['main'])).get('main');
      if (current?.data?.digest === digest)
        return { ok: true, changed: false, version: current.version, digest } as const;
      const data = { bundle: 'main', digest, parts, by, content } as const;
      const version = work.putState(cause, topics.policies, { key: 'main', data });
      return { ok: true, changed: true, version, digest } as const;
    });
    if (done.repeated) throw new Error('a fresh id was known already');
    return done.result;
  }

  /** What is published all the same and may be a mistake. */
  private warn({ notes, content }: Extract<ReadConfig, { ok: true }>): void {
    for (const note of notes) this.log.warn(problemLine(note));
    for (const detail of unanswerable(content, this.people)) this.log.warn(detail);
  }
}

/** Reads CONFIG_DIR as `countersign policy check` does. Throws, naming the variable, where there is no such folder. */
function readConfigDir(folder: string | undefined): ReadConfig {
  if (!folder)
    throw new Error('CONFIG_DIR is not set: the folder of charters, plays, sequences, rules.yaml and routes.yaml');
  let files: ConfigFile[];
  try {
    files = readFolder(folder, fs);
  } catch (error) {
    throw new Error(`CONFIG_DIR: ${folder} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  // SOURCES_FILE may lie elsewhere.
  return readConfig(files, files.some(({ path }) => path === 'sources.yaml') ? undefined : deployment());
}
