import type { DeadLetterRow } from '@countersign/client/core';
import type { DataOf, Event } from '@countersign/contracts';

/** Dead letters with the last order to replay each, open ones first, then newest first. */
export function deadLetterRows(events: readonly Event[]): DeadLetterRow[] {
  const replays = new Map<string, DataOf<'DeadLetterReplayed'>>();
  const letters = new Map<string, DataOf<'DeadLetter'>>();
  for (const event of events) {
    if (event.type === 'DeadLetter') letters.set(event.data.deadLetterId, event.data);
    if (event.type === 'DeadLetterReplayed') {
      const before = replays.get(event.data.deadLetterId);
      if (!before || before.at < event.data.at) replays.set(event.data.deadLetterId, event.data);
    }
  }
  return [...letters.values()]
    .map((letter) => {
      const replay = replays.get(letter.deadLetterId);
      const { deadLetterId, service, topic, partition, offset, type, job, fault, attempts, at } = letter;
      const place = { deadLetterId, service, topic, partition, offset, type, ...(job && { job }), fault, attempts, at };
      return { ...place, replayed: replay ? { by: replay.by, at: replay.at } : null };
    })
    .sort((a, b) => Number(a.replayed !== null) - Number(b.replayed !== null) || (a.at > b.at ? -1 : 1));
}
