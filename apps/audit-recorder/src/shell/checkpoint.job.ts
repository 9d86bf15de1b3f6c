import { topics } from '@countersign/contracts';
import { openCheckpoint, proveConsistency, rootOf, signCheckpoint, verifyConsistency } from '@countersign/record';
import {
  type Cause,
  type Job,
  type JobContext,
  type JobKind,
  jobName,
  type NewJob,
  RUNTIME,
  type Runtime,
  type Work,
} from '@countersign/runtime';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { lastCheckpoint, lockSigning, readHead, treeReader } from './log.repository.js';
import { SETTINGS, type Settings } from './settings.js';

const kind = jobName<object>('checkpoint');
const everyMs = 2_000;

/**
 * The job to sign what a batch appended. Each batch has its own job, so no growth stays unsigned. All jobs of one interval fall due
 * together, and the first of them signs for all.
 */
export const signingJob = (
  first: { readonly topic: string; readonly partition: number; readonly offset: string },
  at: string,
): NewJob<object> => ({
  kind,
  id: `${first.topic}/${first.partition}/${first.offset}`,
  dueAt: new Date((Math.floor(Date.parse(at) / everyMs) + 1) * everyMs).toISOString(),
  payload: {},
});

/** Signs the head of the log every two seconds if it grew, and once more before the process ends. */
@Injectable()
export class Checkpoints implements JobKind<object>, BeforeApplicationShutdown {
  readonly kind = kind;
  readonly leaseMs = 10_000;
  readonly batch = 1_000;
  private readonly log = new Logger('audit-recorder');

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async work(jobs: readonly Job<object>[], context: JobContext): Promise<void> {
    await context.finish(jobs, async ([first], work) => {
      if (first) await this.sign(first.cause, work);
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    try {
      const { size } = await readHead((sql, params) => this.runtime.read(sql, params));
      const cause = { source: `${kind.name}:drain`, id: String(size) };
      await this.runtime.transact(cause, (work) => this.sign(cause, work));
    } catch (error) {
      // Entries that are not signed now have a job, which the next start works.
      this.log.warn(`no checkpoint at the end: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  }

  /**
   * Signs the head if it grew. First it checks, by a proof from the stored hashes, that the head extends the last signed head. A log that
   * was tampered with, or restored to an older state, gets no further signature: the check throws.
   */
  private async sign(cause: Cause, work: Work): Promise<void> {
    const { origin, signingKey } = this.settings;
    const read = work.tx.query.bind(work.tx);
    await lockSigning(work.tx);
    const frontier = await readHead(read);
    const last = await lastCheckpoint(read);
    const head = { size: frontier.size, root: rootOf(frontier) };
    if (last) {
      const opened = openCheckpoint(last.note, { origin, keys: [signingKey] });
      if (!opened.ok)
        throw new Error(`the last checkpoint, of ${last.size} leaves, does not open: ${opened.detail}; not signing`);
      const signed = opened.checkpoint;
      if (head.size < signed.size)
        throw new Error(`the log has ${head.size} leaves, ${signed.size} were signed: not signing`);
      if (head.size === signed.size) return;
      const proof = await proveConsistency(signed.size, head.size, treeReader(read));
      if (!verifyConsistency({ from: signed, to: head, proof })) {
        throw new Error(`the stored log does not extend checkpoint ${signed.size}: not signing`);
      }
    } else if (head.size === 0) {
      return;
    }
    const note = signCheckpoint({ origin, ...head }, [signingKey]);
    await work.tx.query('INSERT INTO checkpoints (size, note, at) VALUES ($1, $2, $3)', [head.size, note, work.at]);
    work.emit(cause, topics.recordCheckpoints, {
      key: origin,
      data: { origin, size: head.size, rootHash: Buffer.from(head.root).toString('base64'), note, at: work.at },
    });
  }
}
