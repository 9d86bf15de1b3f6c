import type { DataOf } from '@countersign/contracts';
import type { Tx } from '../api/runtime.js';
import type { Database } from '../database/database.js';

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
  const rows = await db.read<{
    topic: string;
    topic_id: string;
    partition: number;
    from_offset: number;
    to_offset: number | null;
    reason: Gap['reason'];
    noticed_at: Date;
  }>(
    `SELECT topic, topic_id, partition, from_offset, to_offset, reason, noticed_at FROM gaps
     WHERE acknowledged_at IS NULL ORDER BY noticed_at, topic, partition LIMIT 200`,
  );
  return rows.map((row) => ({
    topic: row.topic,
    topicId: row.topic_id,
    partition: row.partition,
    from: row.from_offset,
    to: row.to_offset,
    reason: row.reason,
    noticedAt: row.noticed_at.toISOString(),
  }));
}

/**
 * Closes the gaps of this service that a person has acknowledged, with that person's note. The first acknowledgement stands. A
 * gap that is closed already, or that this service does not have, stays as it is, and the log says so.
 */
export async function acknowledge(
  tx: Tx,
  service: string,
  words: readonly DataOf<'GapAcknowledged'>[],
  log: { log(message: string): void; warn(message: string): void },
): Promise<void> {
  for (const { topic, topicId, partition, from, reason, by, note, at, ...word } of words) {
    if (word.service !== service) continue;
    const closed = await tx.query(
      `UPDATE gaps SET acknowledged_at = $6, acknowledged_by = $7, note = $8
       WHERE topic = $1 AND partition = $2 AND topic_id = $3 AND from_offset = $4 AND reason = $5 AND acknowledged_at IS NULL RETURNING topic`,
      [topic, partition, topicId, from, reason, at, by, note],
    );
    const gap = `the gap of ${topic}/${partition} from offset ${from} on`;
    if (closed.length > 0) log.log(`${by} has acknowledged ${gap}`);
    else log.warn(`${by} has acknowledged ${gap}: there is none that is open`);
  }
}
