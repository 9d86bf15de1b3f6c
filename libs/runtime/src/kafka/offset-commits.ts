import { describe } from '../failures.js';
import type { ConsumerOptions } from './consumer-options.js';
import type { GroupMembership } from './group-membership.js';

export interface HandledOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** Commits the offsets of what was handled, lazily: the inbox makes a repeat harmless. */
export class OffsetCommits {
  private readonly handled = new Map<string, HandledOffset>();
  private last = Promise.resolve();

  constructor(
    private readonly deps: Pick<ConsumerOptions, 'groupId' | 'remember' | 'log'> & { readonly member: GroupMembership },
  ) {}

  /** Everything before this offset is handled. */
  note(offset: HandledOffset): void {
    this.handled.set(`${offset.topic}/${offset.partition}`, offset);
  }

  /** Partitions that went to another instance are not ours to commit any more. */
  retain(owned: (place: string) => boolean): void {
    for (const place of this.handled.keys()) if (!owned(place)) this.handled.delete(place);
  }

  /** One after the other, so that no older offset lands after a newer one. */
  commit(): Promise<void> {
    this.last = this.last.then(() => this.commitOnce());
    return this.last;
  }

  private async commitOnce(): Promise<void> {
    const { groupId, remember, member, log } = this.deps;
    const offsets = [...this.handled];
    const under = member.assignment;
    this.handled.clear();
    if (offsets.length === 0) return;
    try {
      await remember?.(offsets.map(([, offset]) => offset));
      await member.consumer?.commitOffsets(offsets.map(([, offset]) => offset));
    } catch (error) {
      // They are tried again with the next; after a rebalance they come again instead, and the inbox drops the repeat.
      log.log(`${groupId}: offsets not committed (${describe(error).detail})`);
      for (const [place, offset] of offsets)
        if (under === member.assignment && !this.handled.has(place)) this.handled.set(place, offset);
    }
  }
}
