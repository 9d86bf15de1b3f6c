import type { Consumer } from '@countersign/kafka';

/** What one instance is to its consumer group at the moment. The parts of a consumer share it. */
export class GroupMembership {
  phase: 'starting' | 'running' | 'rebuilding' | 'stopped' = 'starting';
  /** Counts the assignments: what was taken under an older one is not put back, and pauses nothing. */
  assignment = 0;
  /** The kafkajs consumer of the moment; events of an older one count no longer. */
  consumer: Consumer | undefined;

  /** Whether an event of this kafkajs consumer still counts. */
  counts(made: Consumer): boolean {
    return this.phase !== 'stopped' && made === this.consumer;
  }
}

/** By `topic/partition`: whether an assignment has it. */
export const ownedIn =
  (assignment: Readonly<Record<string, readonly number[]>>) =>
  (place: string): boolean => {
    const at = place.lastIndexOf('/');
    return assignment[place.slice(0, at)]?.includes(Number(place.slice(at + 1))) ?? false;
  };
