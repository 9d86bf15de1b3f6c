import { type AcknowledgedGap, type Gap, Misused, type ReportedGap } from '@countersign/client/core';
import type { DataOf, Topic } from '@countersign/contracts';

/** An acknowledgement as the console lists it. */
export interface Acknowledgement extends DataOf<'GapAcknowledged'>, Pick<AcknowledgedGap, 'answer'> {}

/** The gaps that people have acknowledged, each with the acknowledgement. */
export const acknowledgedGaps = (words: readonly Acknowledgement[]): AcknowledgedGap[] =>
  words.map(({ by, note, at, ...gap }) => ({ ...gap, acknowledged: { by, note, at } }));

/** An open gap, with what the console knows of it. Without `report` the console has not heard of it, or was not asked. */
export interface OpenGap extends Gap {
  readonly report?: Pick<ReportedGap, 'acknowledged' | 'state'>;
  /** The writer of the topic, if it is a state topic. */
  readonly stateWriter?: string;
}

/** What the services show, together with what they reported to the console. */
export const openGaps = (
  found: readonly Gap[],
  reports: readonly ReportedGap[],
  topics: readonly Pick<Topic, 'name' | 'kind' | 'writer'>[],
): OpenGap[] =>
  found.map((gap) => {
    const report = reports.find((reported) => sameGap(reported, gap));
    const topic = topics.find(({ name }) => name === gap.topic);
    return {
      ...gap,
      ...(report && { report: { acknowledged: report.acknowledged, state: report.state } }),
      ...(topic?.kind === 'state' && { stateWriter: topic.writer }),
    };
  });

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
