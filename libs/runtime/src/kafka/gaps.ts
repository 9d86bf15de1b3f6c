import type { DataOf, Envelope } from '@countersign/contracts';
import { causeOf, type Work } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import { type GapRow, gapEvent, gapOf } from './gap-reports.js';

/** The topic on which people acknowledge gaps. */
export const gapsAcknowledged = 'gaps.acknowledged.v1';

/**
 * Records that nobody can read any more, and that this service had not read. `to` is exclusive. Null: to the end of a topic that
 * is gone.
 */
export interface Gap {
  readonly topic: string;
  /** The broker's id of the topic that the records were on. */
  readonly topicId: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number | null;
  readonly reason: 'records-deleted' | 'topic-made-again';
  readonly noticedAt: string;
}

/** Gaps that nobody has acknowledged, the oldest first, at most 200. */
export async function openGaps(db: Pick<Database, 'read'>): Promise<readonly Gap[]> {
  const rows = await db.read<GapRow>(
    `SELECT topic, topic_id, partition, from_offset, to_offset, reason, noticed_at FROM gaps
     WHERE acknowledged_at IS NULL ORDER BY noticed_at, topic, partition LIMIT 200`,
  );
  return rows.map(gapOf);
}

/** The acknowledgement of a gap, and the event that it came with. */
export interface Acknowledgement {
  readonly event: Envelope;
  readonly data: DataOf<'GapAcknowledged'>;
}

/**
 * Closes the gaps of this service that a person has acknowledged, with that person's note. The first acknowledgement stands. A
 * gap that is closed already, or that this service does not have, stays as it is. The service publishes the result of each
 * acknowledgement of its gaps.
 */
export async function acknowledge(
  work: Pick<Work, 'at' | 'tx' | 'schedule'>,
  service: string,
  acknowledgements: readonly Acknowledgement[],
  log: { log(message: string): void; warn(message: string): void },
): Promise<void> {
  for (const { event, data } of acknowledgements) {
    const { by, note, at, ...gap } = data;
    if (gap.service !== service) continue;
    const { topic, topicId, partition, from, reason } = gap;
    const [closed] = await work.tx.query<{ to_offset: number | null }>(
      `UPDATE gaps SET acknowledged_at = $6, acknowledged_by = $7, note = $8
       WHERE topic = $1 AND partition = $2 AND topic_id = $3 AND from_offset = $4 AND reason = $5 AND acknowledged_at IS NULL RETURNING to_offset`,
      [topic, partition, topicId, from, reason, at, by, note],
    );
    const place = `the gap of ${topic}/${partition} from offset ${from} on`;
    if (closed) log.log(`${by} has acknowledged ${place}`);
    else log.warn(`${by} has acknowledged ${place}: there is none that is open`);
    const end = { acknowledgedAt: at, outcome: closed ? 'closed' : 'not-open', at: work.at } as const;
    work.schedule(
      causeOf({ event }),
      gapEvent(event.id, work.at, {
        type: 'AcknowledgementEnded',
        data: { ...gap, ...(closed && { to: closed.to_offset }), ...end },
      }),
    );
  }
}
