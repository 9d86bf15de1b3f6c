import { setTimeout as sleep } from 'node:timers/promises';
import { deniedBy } from '@countersign/kafka';
import { describe, pauseAfter } from '../failures.js';
import type { ConsumerOptions } from './consumer-options.js';
import type { GroupMembership } from './group-membership.js';

/**
 * Which crash in a row this is, from 0. One that was a member for longer than a session begins to count anew; one that crashes as soon
 * as it has joined waits longer each time.
 */
export const crashCount = (
  before: number | undefined,
  memberMs: number | undefined,
  { sessionMs }: { readonly sessionMs: number },
): number => (memberMs !== undefined && memberMs > sessionMs ? 0 : (before ?? -1) + 1);

/** Builds the consumer anew after what kafkajs does not mend, with growing pauses, until it stands. */
export class Rebuilding {
  private last = Promise.resolve();
  private begun = 0;
  private readonly ending = new AbortController();

  constructor(
    private readonly deps: Pick<ConsumerOptions, 'groupId' | 'limits' | 'log' | 'rights'> & {
      readonly member: GroupMembership;
      readonly build: () => Promise<void>;
      /** Topics that the consumer of the moment does not read, since it may not. */
      readonly leftOut: () => ReadonlySet<string>;
    },
  ) {}

  /** Takes the place of a rebuilding that is under way. `reason`: the error that broke off the consumer. */
  begin(reason?: unknown, attempt = 0): void {
    this.last = Promise.all([this.last, this.rebuild(reason, attempt)]).then(() => undefined);
  }

  /** No more pauses: what is being built is finished, and nothing new begins. */
  abort(): void {
    this.ending.abort();
  }

  /** Resolves when no rebuilding is under way. */
  ended(): Promise<void> {
    return this.last;
  }

  private async rebuild(reason: unknown, from: number): Promise<void> {
    const { groupId, limits, log, rights, member, build } = this.deps;
    const mine = ++this.begun;
    let failed = reason;
    for (let attempt = from; ; attempt++) {
      await member.consumer?.disconnect().catch(() => undefined);
      const wait = pauseAfter(failed, attempt, limits);
      log.log(`${groupId}: the consumer is built anew in ${wait} ms`);
      await sleep(wait, undefined, { signal: this.ending.signal }).catch(() => undefined);
      if (member.phase === 'stopped' || mine !== this.begun) return;
      try {
        if (deniedBy(failed) === 'topic') await rights?.lookAtRights();
        await build();
        const leftOut = this.deps.leftOut();
        const without = leftOut.size > 0 ? ` without ${[...leftOut].join(', ')}, which it may not read` : '';
        log.log(`${groupId}: consumer rebuilt${without}`);
        return;
      } catch (error) {
        // It crashed meanwhile, which has begun another rebuilding.
        if (mine !== this.begun) return;
        failed = error;
        log.warn(`${groupId}: cannot rebuild the consumer yet: ${describe(error).detail}`);
      }
    }
  }
}
