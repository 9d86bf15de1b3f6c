import { derivedId, profileKey, topics } from '@countersign/contracts';
import { type Cause, type Job, type JobContext, type JobKind, jobName, type NewJob } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { belonging } from '../core/contact-points.js';
import { Store } from './profiles.repository.js';

/** Contacts whose points are sealed anew in one transaction: a fraction of a second, in which the account's signals wait. */
const atOnce = 100;

interface Renamed {
  readonly accountId: string;
  /** How many pieces came before this one. */
  readonly piece: number;
}

const renameAccount = jobName<Renamed>('rename-account');

/** The job that gives an account's name, as it is when the job runs, to the points of its contacts. */
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
 * An account's new name reaches the points of its contacts in pieces: an account may have thousands, and the signals of all sources
 * would wait. What is left to do is read from the points themselves, so that a repeat does nothing twice, and a name that comes
 * meanwhile is given by the same job: an account has one at most, however fast its names come.
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
        // Locked like by a signal of the account: its name stays until the commit, and the order of locks is the same.
        const key = profileKey.account(accountId);
        const profile = (await work.ownState(topics.profiles, [key])).get(key)?.data;
        if (profile?.kind !== 'account' || profile.name === undefined) continue;
        // Another one does it: none runs while the account is held here, so it reads what is left to do after this.
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
