import { type AcknowledgedGap, type Gap, Misused } from '@countersign/client/core';
import type { DataOf } from '@countersign/contracts';

/** The gaps that people have acknowledged, each with the acknowledgement that counts. */
export const acknowledgedGaps = (words: readonly DataOf<'GapAcknowledged'>[]): AcknowledgedGap[] =>
  words.map(({ by, note, at, ...gap }) => ({ ...gap, acknowledged: { by, note, at } }));

interface Which {
  readonly topic?: string | undefined;
  readonly service?: string | undefined;
  readonly partition?: string | undefined;
}

/** The gaps of one topic, service or partition. Throws `Misused` if the partition is not a number. */
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

type Named = Pick<Gap, 'service' | 'topic' | 'topicId' | 'partition' | 'from' | 'reason'>;

/** Whether both describe the same gap. */
export const sameGap = (a: Named, b: Named): boolean =>
  a.service === b.service &&
  a.topic === b.topic &&
  a.topicId === b.topicId &&
  a.partition === b.partition &&
  a.from === b.from &&
  a.reason === b.reason;
