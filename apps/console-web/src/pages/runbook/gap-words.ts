import type { AcknowledgedGap, OpenGap } from './runbook.queries.js';

/** The open gaps of one topic, which usually have one cause. */
export interface GapsOfTopic {
  readonly topic: string;
  readonly gaps: readonly OpenGap[];
}

/** The topics with gaps that wait for a person, in the order of the list. */
export const waitingTopics = (open: readonly OpenGap[]): GapsOfTopic[] =>
  [
    ...Map.groupBy(
      open.filter(({ acknowledged }) => acknowledged === null),
      ({ topic }) => topic,
    ),
  ].map(([topic, gaps]) => ({ topic, gaps }));

const list = new Intl.ListFormat('en', { type: 'conjunction' });
export const servicesOf = (gaps: readonly { readonly service: string }[]): string =>
  list.format([...new Set(gaps.map(({ service }) => service))].sort());
export const isOne = (gaps: readonly { readonly service: string }[]): boolean =>
  new Set(gaps.map(({ service }) => service)).size === 1;

type Place = Pick<OpenGap, 'partition' | 'from' | 'to'>;

/** Which records: "partition 2, the records from 10 to 14". */
export const placeText = ({ partition, from, to }: Place): string =>
  `partition ${partition}, ${
    to === null
      ? `all from ${from} on`
      : to - from === 1
        ? `the record ${from}`
        : `the records from ${from} to ${to - 1}`
  }`;

/** What happened to the records, one sentence for each reason. */
export function whatHappened(gaps: readonly OpenGap[]): string[] {
  const lostBy = (reason: OpenGap['reason']) => gaps.filter((gap) => gap.reason === reason);
  const [deleted, again] = [lostBy('records-deleted'), lostBy('topic-made-again')];
  return [
    ...(deleted.length === 0
      ? []
      : [
          `Records were deleted, by retention or by a person, before ${servicesOf(deleted)} read them. ${isOne(deleted) ? 'It handles' : 'They handle'} what came after them as usual.`,
        ]),
    ...(again.length === 0
      ? []
      : [
          `The topic was deleted and made again. ${servicesOf(again)} ${isOne(again) ? 'reads' : 'read'} the new one from its beginning. Records of the old one that were not read are lost.`,
        ]),
  ];
}

/** Of a state topic: the gaps because of which a service decides nothing, and what the writer has done about it. */
export function lackingState(
  gaps: readonly OpenGap[],
):
  | { readonly writer: string; readonly publishedAgainAt: string | null; readonly gaps: readonly OpenGap[] }
  | undefined {
  const lacking = gaps.filter(({ state, reason }) => state !== null && reason === 'records-deleted');
  const writer = lacking[0]?.state?.writer;
  if (writer === undefined) return undefined;
  const times = lacking.map(({ state }) => state?.publishedAgainAt ?? null);
  return { writer, publishedAgainAt: times.includes(null) ? null : (times.toSorted().at(0) ?? null), gaps: lacking };
}

/** How lost records of a log come back, if they can. */
export function howToRepair(topic: string): string {
  if (topic.startsWith('signals.inbound.'))
    return 'Ask the source to send these signals again. A signal keeps its id: what was accepted before is not accepted twice.';
  if (topic === 'signals.accepted.v1')
    return 'Ask the sources to send these signals again, each under a new id. They were accepted before, so the old id would be refused as a duplicate.';
  if (topic === 'reviews.decided.v1')
    return 'Ask the reviewers to give their answers again, if the reviews are still open.';
  return 'Ask whoever writes this topic to do again what was lost, if it still matters.';
}

/** What came of an acknowledgement. Only its service can close a gap. */
export interface Standing {
  readonly state: 'closed' | 'not-open' | 'waiting' | 'reported-again' | 'unknown';
  readonly text: string;
}

export function standingOf(word: AcknowledgedGap, open: readonly OpenGap[], notRunning: ReadonlySet<string>): Standing {
  const { service, answer, gapId, at } = word;
  if (answer?.outcome === 'closed') return { state: 'closed', text: `Closed: ${service} does not report it any more.` };
  if (answer)
    return {
      state: 'not-open',
      text: `Not closed by this: ${service} had no such open gap. Somebody acknowledged it before, or its database was restored. Nothing is left to do.`,
    };
  const gap = open.find((known) => known.gapId === gapId);
  if (!gap) return { state: 'unknown', text: `${service} has not answered, and reports no such gap.` };
  if (gap.acknowledged?.at !== at)
    return {
      state: 'reported-again',
      text: `Not closed: ${service} has reported the gap again since. It did not get this acknowledgement, so acknowledge the gap again.`,
    };
  return {
    state: 'waiting',
    text: notRunning.has(service)
      ? `Not closed yet: no instance of ${service} runs. It reads the acknowledgement when it starts. Nothing is lost until then.`
      : `Not closed yet: ${service} has not read the acknowledgement. This takes a few seconds. If it lasts, look at the health page of ${service}.`,
  };
}
