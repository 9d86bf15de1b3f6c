import type { Consumer } from '@countersign/kafka';
import { backoff, describe } from '../failures.js';
import type { ConsumerOptions } from './consumer-options.js';
import type { GroupMembership } from './group-membership.js';
import type { OffsetCommits } from './offset-commits.js';
import type { PartitionProgress } from './partition-progress.js';

type Assigned = Readonly<Record<string, readonly number[]>>;

/** The position of one partition after a join. */
interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly at: number;
  /** The topic was made again, so the offset that the group has committed belongs to the old topic. */
  readonly again: boolean;
}

/**
 * Where each assigned partition goes on by the tables. Without an entry, or if its topic was made again, it goes on at its
 * beginning.
 */
export const placesOf = (
  assigned: Assigned,
  positions: ReadonlyMap<string, number>,
  madeAgain: ReadonlySet<string> = new Set(),
): readonly Place[] =>
  Object.entries(assigned).flatMap(([topic, partitions]) =>
    partitions.map((partition) => {
      const again = madeAgain.has(topic);
      return { topic, partition, at: again ? 0 : (positions.get(`${topic}/${partition}`) ?? 0), again };
    }),
  );

/**
 * Sets partitions to the reader's own positions after each join. A partition must be there before any of its records is handled.
 * Otherwise the position would move past records that are missing.
 */
export class Placement {
  private done = Promise.resolve(true);

  constructor(
    private readonly deps: Pick<
      ConsumerOptions,
      'groupId' | 'limits' | 'log' | 'positions' | 'positionOf' | 'fromBeginning' | 'remember'
    > & {
      readonly member: GroupMembership;
      readonly progress: PartitionProgress;
      readonly commits: OffsetCommits;
    },
  ) {}

  /** Whether the fetched records may be handled. If not, they are fetched again. */
  placed(): Promise<boolean> {
    return this.done;
  }

  /** The group was joined. */
  joined(made: Consumer, assigned: Assigned): void {
    const { positions, positionOf } = this.deps;
    if (positions) this.done = this.byTables(made, assigned, positions);
    if (positionOf) this.byMemory(made, assigned, positionOf);
  }

  private byMemory(made: Consumer, assigned: Assigned, positionOf: NonNullable<ConsumerOptions['positionOf']>): void {
    for (const [topic, partitions] of Object.entries(assigned))
      for (const partition of partitions) {
        const offset = positionOf(topic, partition);
        if (offset === undefined) continue;
        made.seek({ topic, partition, offset });
        this.deps.progress.placed(`${topic}/${partition}`, Number(offset));
      }
  }

  private async byTables(
    made: Consumer,
    assigned: Assigned,
    positions: NonNullable<ConsumerOptions['positions']>,
  ): Promise<boolean> {
    const { groupId, limits, log, fromBeginning, remember, member, progress, commits } = this.deps;
    const under = member.assignment;
    // The next join sets its own positions.
    const past = (): boolean => member.phase !== 'running' || under !== member.assignment || made !== member.consumer;
    for (let attempt = 0; ; attempt++) {
      try {
        const own = await positions();
        if (past()) return false;
        for (const { topic, partition, at, again } of placesOf(assigned, own, fromBeginning?.())) {
          made.seek({ topic, partition, offset: String(at) });
          if (again && remember) commits.note({ topic, partition, offset: '0' });
          progress.placed(`${topic}/${partition}`, at);
        }
        return true;
      } catch (error) {
        if (attempt === 0) log.warn(`${groupId}: positions not read yet: ${describe(error).detail}`);
        if (past()) return false;
      }
      await new Promise((resolve) => setTimeout(resolve, backoff(attempt, limits.backoffMs, limits.backoffMaxMs)));
    }
  }
}
