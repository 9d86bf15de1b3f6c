import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import {
  type ConfigFile,
  type ConfigProblem,
  type PolicyContent,
  policyDigests,
  problemLine,
  type ReadConfig,
  readConfig,
  readFolder,
  type Seen,
  topics,
} from '@countersign/contracts';
import { deployment, Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Person, unanswerable } from '../core/people.js';
import { policyDifferences } from '../core/policy-difference.js';
import { changedSince } from '../core/seen.js';
import { Store } from './console.repository.js';
import { PolicyStore } from './policies.repository.js';
import { PEOPLE, SETTINGS, type Settings } from './settings.js';

/** What a person wants to publish. */
export interface Wanted {
  /** Digest of the folder. */
  readonly digest: string;
  /** The version that it replaces; 0 if there was none. */
  readonly inForce: number;
  readonly seen?: Seen | undefined;
}

export type Publication =
  | { readonly ok: true; readonly changed: boolean; readonly version: number; readonly digest: string }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }
  /** The person saw something other than what would be published. */
  | { readonly ok: false; readonly changedSince: 'folder' | 'policy'; readonly by?: string };

/** Publishes the configuration folder as the policy in force. An invalid folder is never published: the bundle in force stays. */
@Injectable()
export class Policies implements OnApplicationBootstrap {
  private readonly log = new Logger('policies');
  /** The digest of the folder whose possible mistakes were logged last. */
  private warnedOf: string | undefined;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(PolicyStore) private readonly versions: PolicyStore,
    @Inject(PEOPLE) private readonly people: readonly Person[],
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** The first start of an installation publishes its policy. After that, only a person publishes. */
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
    this.warn(read, policyDigests(read.content).digest);
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
        `${current} stays in force; CONFIG_DIR differs from it and was not published: countersign policy diff shows what it would change, countersign policy publish publishes it`,
      );
  }

  /** The present content of the folder, beside the policy in force. Publishes nothing. */
  async check() {
    const read = readConfigDir(process.env.CONFIG_DIR);
    const current = await this.store.policy(this.store.forPages);
    const inForce = current?.version ?? 0;
    if (!read.ok) {
      const nothing = { notes: [], warnings: [], digest: null, differs: false, differences: [] };
      return { valid: false, problems: [...read.problems], inForce, ...nothing };
    }
    const { digest } = policyDigests(read.content);
    return {
      valid: true,
      problems: [],
      notes: [...read.notes],
      warnings: this.unanswerable(read.content),
      digest,
      inForce,
      differs: current?.digest !== digest,
      differences: policyDifferences(current?.content ?? null, read.content),
    };
  }

  /**
   * Reads the folder and publishes it as one bundle, if it is valid and differs from the one in force. If a person wants it, only what
   * they want is published; and if they say what they saw, only while the check still gives that.
   */
  async publish(by: string, wanted?: Wanted): Promise<Publication> {
    const read = readConfigDir(process.env.CONFIG_DIR);
    if (!read.ok) return read;
    const { content } = read;
    const { digest, parts } = policyDigests(content);
    if (wanted && wanted.digest !== digest) return { ok: false, changedSince: 'folder' };
    const shown = wanted?.seen && (await this.check());
    this.warn(read, digest);
    const id = randomUUID();
    const cause = { source: '/countersign/console', id, correlationid: id };
    const done = await this.runtime.transact(cause, async (work): Promise<Publication> => {
      const current = (await work.ownState(topics.policies, ['main'])).get('main');
      if (current?.data?.digest === digest) return { ok: true, changed: false, version: current.version, digest };
      if (wanted && wanted.inForce !== (current?.data ? current.version : 0))
        return { ok: false, changedSince: 'policy', ...(current?.data && { by: current.data.by }) };
      const changed = shown && changedSince('what publishing would change', shown, { seen: wanted?.seen });
      if (changed) throw new Refused(changed);
      // The topic has only the latest policy.
      await this.versions.insertInForce(work.tx);
      const seen = wanted?.seen && { seen: wanted.seen };
      const data = { bundle: 'main', digest, parts, by, ...seen, content } as const;
      const version = work.putState(cause, topics.policies, { key: 'main', data });
      this.versions.insert(work.tx, { version, digest, content, by, publishedAt: work.at });
      return { ok: true, changed: true, version, digest };
    });
    if (done.repeated) throw new Error('a fresh id was known already');
    return done.result;
  }

  /** Logs possible mistakes that do not prevent the publication: once for each content of the folder, however often it is published. */
  private warn({ notes, content }: Extract<ReadConfig, { ok: true }>, digest: string): void {
    if (digest === this.warnedOf) return;
    this.warnedOf = digest;
    for (const note of notes) this.log.warn(problemLine(note));
    for (const detail of this.unanswerable(content)) this.log.warn(detail);
  }

  private unanswerable(content: PolicyContent): string[] {
    return unanswerable(content, this.people, this.settings.oidc?.mapping.roles);
  }
}

/** Reads CONFIG_DIR as `countersign policy check` does. If there is no such folder, throws an error that names the variable. */
function readConfigDir(folder: string | undefined): ReadConfig {
  if (!folder)
    throw new Error('CONFIG_DIR is not set: the folder of charters, plays, sequences, rules.yaml and routes.yaml');
  let files: ConfigFile[];
  try {
    files = readFolder(folder, fs);
  } catch (error) {
    throw new Error(`CONFIG_DIR: ${folder} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  // SOURCES_FILE may be elsewhere.
  return readConfig(files, files.some(({ path }) => path === 'sources.yaml') ? undefined : deployment());
}
