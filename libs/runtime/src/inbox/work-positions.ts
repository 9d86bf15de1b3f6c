import type { Database } from '../database/database.js';

/** The database was restored from a copy while the service ran. Transient: the world is the cause, not an event. */
export class PutBack extends Error {
  readonly code = 'ETIMEDOUT';
  constructor() {
    super('the database was put back from a copy beneath this service: it does nothing more until it is started again');
  }
}

/** The position of a partition, and the broker's id of its topic. */
interface Known {
  readonly topic: string;
  readonly next: number;
  readonly topicId: string | null;
}

const placeOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}/${partition}`;

/**
 * How far the tables have handled each partition. It is written once a second, before the group's offsets are committed. So if
 * the group has committed an offset that the tables lack, the tables have lost it.
 */
export class WorkPositions {
  private known: ReadonlyMap<string, Known> = new Map();
  private topicIds: ReadonlyMap<string, string> = new Map();

  constructor(private readonly db: Pick<Database, 'read'>) {}

  /** Where partitions go on, by `topic/partition`. Throws `PutBack` if a position is behind one that was read or written here. */
  async read(): Promise<ReadonlyMap<string, number>> {
    // In one statement, because a topic that is made again meanwhile changes both.
    const rows = await this.db.read<
      { topic: string; topicId: string | null } & Partial<Record<'partition' | 'next', number | null>>
    >(
      `SELECT topic, t.id AS "topicId", p.partition, p.next_offset AS next FROM topic_ids t FULL JOIN work_positions p USING (topic)`,
    );
    const found = new Map<string, Known>();
    for (const { topic, topicId, partition, next } of rows)
      if (typeof partition === 'number' && typeof next === 'number')
        found.set(placeOf({ topic, partition }), { topic, next, topicId });
    const topicIds = new Map(rows.flatMap(({ topic, topicId }) => (topicId === null ? [] : [[topic, topicId]])));
    for (const [place, { topic, next, topicId }] of this.known)
      if ((topicIds.get(topic) ?? null) === topicId && (found.get(place)?.next ?? 0) < next) throw new PutBack();
    this.known = found;
    this.topicIds = topicIds;
    return new Map([...found].map(([place, { next }]) => [place, next]));
  }

  /**
   * Moves positions forward, but only of topics that still have the id that was read. Throws `PutBack`, and moves none, if a
   * position is behind one that was read or written here.
   */
  async write(offsets: readonly { topic: string; partition: number; offset: string }[]): Promise<void> {
    const ids = offsets.map(({ topic }) => this.topicIds.get(topic) ?? null);
    const back = await this.db.read(
      `WITH held AS (
         SELECT topic, id FROM topic_ids WHERE topic = ANY($1) ORDER BY topic FOR SHARE
       ), n AS (
         SELECT u.*, coalesce(p.next_offset, 0) AS there
         FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::text[]) AS u(topic, partition, next, known, topic_id)
         LEFT JOIN work_positions p ON p.topic = u.topic AND p.partition = u.partition
         LEFT JOIN held t ON t.topic = u.topic
         WHERE t.id IS NULL OR u.topic_id IS NULL OR t.id = u.topic_id
       ), written AS (
         INSERT INTO work_positions (topic, partition, next_offset)
         SELECT topic, partition, next FROM n WHERE NOT EXISTS (SELECT FROM n WHERE there < known) ORDER BY topic, partition
         ON CONFLICT (topic, partition) DO UPDATE SET next_offset = greatest(work_positions.next_offset, excluded.next_offset)
       )
       SELECT topic FROM n WHERE there < known`,
      [
        offsets.map(({ topic }) => topic),
        offsets.map(({ partition }) => partition),
        offsets.map(({ offset }) => offset),
        offsets.map((reached, n) => {
          const known = this.known.get(placeOf(reached));
          return known && known.topicId === ids[n] ? known.next : 0;
        }),
        ids,
      ],
    );
    if (back.length > 0) throw new PutBack();
    const moved = offsets.map(
      (reached, n) =>
        [placeOf(reached), { topic: reached.topic, next: Number(reached.offset), topicId: ids[n] ?? null }] as const,
    );
    this.known = new Map([...this.known, ...moved]);
  }
}
