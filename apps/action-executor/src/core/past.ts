import type { ActionSettled } from '@countersign/contracts';
import type { PublishedEvent } from '@countersign/runtime';
import type { End, Ended, Rejected } from './permit-machine.js';

/** How a permit had ended before a restore, by its last published settlement. */
export interface PublishedEnd {
  readonly settlement: Pick<ActionSettled, 'permitId' | 'actionId' | 'proposalId' | 'connector'>;
  /** The id of the settlement event. */
  readonly id: string;
  readonly end: End;
}

/** The end in a settlement. Undefined: the effect was undone, which ends no permit. */
export function endSettled({ outcome, ...settled }: ActionSettled): End | undefined {
  if (outcome === 'undone') return undefined;
  const { reason, externalReference, spentMinor, before, after } = settled;
  return { outcome, reason, externalReference, spentMinor, before, after };
}

/** One end for each permit. A person's decision comes after the unresolved end that it replaces. */
export function publishedEnds(published: readonly PublishedEvent[]): readonly PublishedEnd[] {
  const ends = new Map<string, PublishedEnd>();
  for (const { id, type, data } of published) {
    const end = type === 'ActionSettled' ? endSettled(data) : undefined;
    if (type === 'ActionSettled' && end) ends.set(data.permitId, { settlement: data, id, end });
  }
  return [...ends.values()];
}

/** How one approval had been answered before a restore, by its published event. */
export function publishedAnswer(published: readonly PublishedEvent[] | undefined): Ended | Rejected | undefined {
  for (const { type, data } of published ?? []) {
    if (type === 'PermitRejected') return { state: 'rejected', reason: data.reason };
    const end = type === 'ActionSettled' ? endSettled(data) : undefined;
    if (end) return { state: end.outcome, end };
  }
  return undefined;
}
