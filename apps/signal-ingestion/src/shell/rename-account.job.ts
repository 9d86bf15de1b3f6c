import { derivedId, profileKey, topics } from '@countersign/contracts';
import { type Cause, type Job, type JobContext, type JobKind, jobName, type NewJob } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { belonging } from '../core/contact-points.js';
import { Store } from './profiles.repository.js';

/**
 * How many contacts' points are sealed again in one transaction. It takes a fraction of a second, and the account's signals wait for it.
 */
const atOnce = 100;

interface Renamed {
  readonly accountId: string;
  /** How many pieces came before this one. */
  readonly piece: number;
}

const renameAccount = jobName<Renamed>('rename-account');

/** The job that writes an account's name into the points of its contacts. It uses the name at the time when it runs. */
export const renameJob = (
  accountId: string,
  { source, id }: Pick<Cause, 'source' | 'id'>,
  at: string,
  piece = 0,
): NewJob<Renamed> => ({
  kind: renameAccount,
  id: derivedId('rename-account', source, id, piece),
  dueAt: at,
  payload: { accountId, piece },
});

/**
 * Writes an account's new name into the points of its contacts, in pieces: an account may have thousands of contacts, and in one piece
 * the signals of all sources would wait. The points themselves show what is left to do, so a repeat does nothing twice. The same job also
 * writes a name that comes meanwhile: an account has at most one job, however fast its names change.
 */
@Injectable()
export class RenameAccount implements JobKind<Renamed> {
  readonly kind = renameAccount;
  readonly leaseMs = 60_000;
  readonly batch = 1;

  constructor(@Inject(Store) private readonly store: Store) {}

  async work(jobs: readonly Job<Renamed>[], context: JobContext): Promise<void> {
    await context.finish(jobs, async (owned, work) => {
      for (const { id, cause, payload } of owned) {
        const { accountId, piece } = payload;
        // Locked as by a signal of the account: the name stays until the commit, and the order of locks is the same.
        const key = profileKey.account(accountId);
        const profile = (await work.ownState(topics.profiles, [key])).get(key)?.data;
        if (profile?.kind !== 'account' || profile.name === undefined) continue;
        // Another job does it. No job runs while the account is held here, so that job reads what is left to do after this.
        const others = (await this.store.renaming(work.tx, [accountId])).filter(({ jobId }) => jobId !== id);
        if (others.length > 0) continue;
        const { name } = profile;
        const ids = await this.store.misnamed(work.tx, accountId, name, atOnce);
        const before = await this.store.points(work.tx, ids);
        // Another transaction may have given a contact to another account before its row was locked here.
        const mine = [...before].filter(([, points]) => points.accountId === accountId);
        const changes = mine.map(([id, points]) => [id, { value: belonging(points, accountId, name), cause }] as const);
        await this.store.changePoints(work, before, new Map(changes));
        if (ids.length === atOnce) work.schedule(cause, renameJob(accountId, cause, work.at, piece + 1));
      }
    });
  }
}
