import { type DataOf, derivedId, GapAcknowledged, Remark } from '@countersign/contracts';
import { z } from 'zod';

/** A gap as its service reports it, with a person's note about it. */
export const AcknowledgeRequest = GapAcknowledged.omit({ by: true, at: true, note: true })
  .extend({
    /** What was lost and what was done about it. The note stays on the record. */
    note: Remark(1000).pipe(z.string().min(1, 'say what was lost and what you did, for whoever reads the record')),
  })
  .strict();
export type AcknowledgeRequest = z.infer<typeof AcknowledgeRequest>;

type Named = Pick<DataOf<'GapAcknowledged'>, 'service' | 'topic' | 'topicId' | 'partition' | 'from' | 'reason'>;

/** The same id for all acknowledgements of one gap. The first one counts, whoever sends a later one. */
export const acknowledgementIdOf = ({ service, topic, topicId, partition, from, reason }: Named): string =>
  derivedId('gap acknowledged', service, topic, topicId, partition, from, reason);
