import { setTimeout as sleep } from 'node:timers/promises';
import { type Consumer, deniedBy, endFetches } from '@countersign/kafka';
import { describe, pauseAfter } from '../failures.js';
import type { ConsumerOptions } from './consumer-options.js';
import type { GroupMembership } from './group-membership.js';

/** Ends a consumer. kafkajs would first wait for the answer of its fetch. */
export async function leave(consumer: Consumer | undefined, groupId: string): Promise<void> {
  const left = consumer?.disconnect();
  endFetches(groupId);
  await left;
}

/**
 * The number of this crash in a row, from 0. After a membership of more than a session, the count begins again. A consumer that
 * crashes as soon as it has joined waits longer each time.
 */
export const crashCount = (
  before: number | undefined,
  memberMs: number | undefined,
  { sessionMs }: { readonly sessionMs: number },
): number => (memberMs !== undefined && memberMs > sessionMs ? 0 : (before ?? -1) + 1);

/** Builds a new consumer after a crash that kafkajs does not repair, with growing pauses, until it runs. */
export class Rebuilding {
  private last = Promise.resolve();
  private begun = 0;
  private readonly ending = new AbortController();

  constructor(
    private readonly deps: Pick<ConsumerOptions, 'groupId' | 'limits' | 'log' | 'rights'> & {
      readonly member: GroupMembership;
      readonly build: () => Promise<void>;
      /** Topics that the current consumer does not read because it has no right to. */
      readonly leftOut: () => ReadonlySet<string>;
    },
  ) {}

  /** Replaces a rebuilding that is under way. `reason`: the error that stopped the consumer. */
  begin(reason?: unknown, attempt = 0): void {
    this.last = Promise.all([this.last, this.rebuild(reason, attempt)]).then(() => undefined);
  }

  /** Ends all pauses. A consumer that is being built is finished, and nothing new begins. */
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
      await leave(member.consumer, groupId).catch(() => undefined);
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
        // The consumer crashed meanwhile, and that has begun another rebuilding.
        if (mine !== this.begun) return;
        failed = error;
        log.warn(`${groupId}: cannot rebuild the consumer yet: ${describe(error).detail}`);
      }
    }
  }
}
