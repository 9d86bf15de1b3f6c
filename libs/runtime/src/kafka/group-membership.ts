import type { Consumer } from '@countersign/kafka';

/** The current membership of one instance in its consumer group. The parts of a consumer share it. */
export class GroupMembership {
  phase: 'starting' | 'running' | 'rebuilding' | 'stopped' = 'starting';
  /** Counts the assignments. A batch that was taken under an older assignment resets nothing and pauses nothing. */
  assignment = 0;
  /** The current kafkajs consumer. Events of an older one no longer count. */
  consumer: Consumer | undefined;

  /** Whether an event of this kafkajs consumer still counts. */
  counts(made: Consumer): boolean {
    return this.phase !== 'stopped' && made === this.consumer;
  }
}

/** Whether an assignment has a partition, by `topic/partition`. */
export const ownedIn =
  (assignment: Readonly<Record<string, readonly number[]>>) =>
  (place: string): boolean => {
    const at = place.lastIndexOf('/');
    return assignment[place.slice(0, at)]?.includes(Number(place.slice(at + 1))) ?? false;
  };
