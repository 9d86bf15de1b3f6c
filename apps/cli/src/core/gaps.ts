import { type AcknowledgedGap, type Gap, Misused } from '@countersign/client/core';
import type { Event } from '@countersign/contracts';

/** What a person has acknowledged, the latest first; the first word about a gap is the one that counts. */
export function acknowledgedGaps(events: readonly Event[]): AcknowledgedGap[] {
  const found: AcknowledgedGap[] = [];
  for (const event of events) {
    if (event.type !== 'GapAcknowledged' || found.some((gap) => sameGap(gap, event.data))) continue;
    const { by, note, at, ...gap } = event.data;
    found.push({ ...gap, acknowledged: { by, note, at } });
  }
  return found.sort((a, b) => (a.acknowledged.at > b.acknowledged.at ? -1 : 1));
}

interface Which {
  readonly topic?: string | undefined;
  readonly service?: string | undefined;
  readonly partition?: string | undefined;
}

/** The gaps of one topic, service or partition. Throws `Misused` where the partition is no number. */
export function chosenGaps(gaps: readonly Gap[], { topic, service, partition }: Which): readonly Gap[] {
  if (partition !== undefined && !/^\d+$/.test(partition))
    throw new Misused(`--partition ${partition}: a number such as 2 is expected`);
  return gaps.filter(
    (gap) =>
      (topic === undefined || gap.topic === topic) &&
      (service === undefined || gap.service === service) &&
      (partition === undefined || gap.partition === Number(partition)),
  );
}

type Named = Pick<Gap, 'service' | 'topic' | 'topicId' | 'partition' | 'from' | 'why'>;

/** Whether both are about the same gap. */
export const sameGap = (a: Named, b: Named): boolean =>
  a.service === b.service &&
  a.topic === b.topic &&
  a.topicId === b.topicId &&
  a.partition === b.partition &&
  a.from === b.from &&
  a.why === b.why;
