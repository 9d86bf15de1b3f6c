import { type DataOf, derivedId, GapAcknowledged, Remark, type Topic } from '@countersign/contracts';
import { z } from 'zod';
import { type Problem, problem } from './problem.js';
import { seen } from './seen.js';

/** A gap as its service reports it, with a person's note about it. */
export const AcknowledgeRequest = GapAcknowledged.omit({ by: true, at: true, note: true })
  .extend({
    /** What was lost and what was done about it. The note stays on the record. */
    note: Remark(1000).pipe(z.string().min(1, 'say what was lost and what you did, for whoever reads the record')),
  })
  .extend(seen)
  .strict();
export type AcknowledgeRequest = z.infer<typeof AcknowledgeRequest>;

type Named = Pick<DataOf<'GapReported'>, 'service' | 'topic' | 'topicId' | 'partition' | 'from' | 'reason'>;

/** The same id for all that is reported and written about one gap. */
export const gapIdOf = ({ service, topic, topicId, partition, from, reason }: Named): string =>
  derivedId('gap acknowledged', service, topic, topicId, partition, from, reason);

/** What the console knows of a gap from the reports of its service. */
export interface KnownGap {
  readonly to: number | null;
  /** When its service reported that it is closed, or that it has no such gap; null while it is open. */
  readonly endedAt: string | null;
}

/** Why a gap cannot be acknowledged; undefined if it can. An acknowledgement of no open gap would change nothing. */
export function refusalOf(
  { service, topic, partition, from, to }: AcknowledgeRequest,
  known: KnownGap | undefined,
): Problem | undefined {
  const place = `${topic}/${partition} from offset ${from} on`;
  const next = '`countersign gaps` and the Runbook list the gaps that are open now, with their values';
  if (!known)
    return problem(404, 'No such gap', `${service} has reported no gap of ${place} with these values. ${next}`);
  if (known.endedAt !== null)
    return problem(
      409,
      'This gap is closed',
      `${service} reported at ${known.endedAt} that it has no open gap of ${place}. Nothing is left to do. ${next}`,
    );
  if (known.to !== to)
    return problem(
      409,
      'The gap has another end',
      `${service} reports ${known.to === null ? 'no end' : `the end ${known.to}`} of its gap of ${place}. ${next}`,
      'to',
    );
  return undefined;
}

/** A gap of which the reader may lack state: the topic's writer, and when it published its whole table again. */
export interface StateOfGap {
  readonly writer: string;
  readonly publishedAgainAt: string | null;
}

/** When a service reported that a topic was made again, as its writer does after it published its whole table. */
export interface MadeAgain {
  readonly topic: string;
  readonly service: string;
  readonly at: string;
}

/** For a gap on a state topic: what its writer has done since. Null for the gap of a log. */
export function stateOf(
  { topic, noticedAt }: { readonly topic: string; readonly noticedAt: string },
  topics: readonly Topic[],
  madeAgain: readonly MadeAgain[],
): StateOfGap | null {
  const described = topics.find(({ name }) => name === topic);
  if (described?.kind !== 'state') return null;
  const { writer } = described;
  const times = madeAgain.filter((seen) => seen.topic === topic && seen.service === writer && seen.at >= noticedAt);
  return {
    writer,
    publishedAgainAt:
      times
        .map(({ at }) => at)
        .sort()
        .at(-1) ?? null,
  };
}
