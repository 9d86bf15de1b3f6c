import { describe } from '../failures.js';
import type { ConsumerOptions } from './consumer-options.js';
import type { GroupMembership } from './group-membership.js';

export interface HandledOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** Commits the offsets of handled records, late: the inbox makes a repeat harmless. */
export class OffsetCommits {
  private readonly handled = new Map<string, HandledOffset>();
  private last = Promise.resolve();

  constructor(
    private readonly deps: Pick<ConsumerOptions, 'groupId' | 'remember' | 'log'> & { readonly member: GroupMembership },
  ) {}

  /** Notes that everything before this offset is handled. */
  note(offset: HandledOffset): void {
    this.handled.set(`${offset.topic}/${offset.partition}`, offset);
  }

  /** Drops partitions that went to another instance: this instance no longer commits them. */
  retain(owned: (place: string) => boolean): void {
    for (const place of this.handled.keys()) if (!owned(place)) this.handled.delete(place);
  }

  /** One commit after the other, so that no older offset overwrites a newer one. */
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
      // They are tried again with the next commit. After a rebalance the records come again instead, and the inbox drops the
      // repeat.
      log.log(`${groupId}: offsets not committed (${describe(error).detail})`);
      for (const [place, offset] of offsets)
        if (under === member.assignment && !this.handled.has(place)) this.handled.set(place, offset);
    }
  }
}
