import type { DeadLetterAnswer, DeadLetterRow } from '@countersign/client/core';

/** A dead letter of the console, with the last order to replay it. */
export function deadLetterRow(found: DeadLetterAnswer): DeadLetterRow {
  const { type, job, replayedBy: by, replayedAt: at, replayNote: note, ...letter } = found;
  return {
    ...letter,
    ...(type !== null && { type }),
    ...(job && { job }),
    replayed: by === null || at === null ? null : { by, at, ...(note !== null && { note }) },
  };
}

/** Whether a dead letter waits for a person: nothing was ordered, or the order failed. */
export const waits = ({ state }: Pick<DeadLetterRow, 'state'>): boolean => state === 'open' || state === 'failed-again';
