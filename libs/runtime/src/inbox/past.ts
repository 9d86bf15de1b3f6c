import type { PublishedEvent, Reader } from '../api/runtime.js';
import type { Database } from '../database/database.js';

const place = (topic: string, partition: number): string => `${topic}/${partition}`;

/**
 * What this service did in the time that its restored tables do not know: how far its topics went then, and what it had
 * published. Without a restore it is empty and sends no statement.
 */
export class Past {
  private until: ReadonlyMap<string, number> = new Map();
  private known = false;

  constructor(private readonly db: Pick<Database, 'read'>) {}

  /** Reads the notes that this or another instance made when it noticed a restore. */
  async load(): Promise<void> {
    const rows = await this.db.read<{ topic: string; partition: number; again_until: number }>(
      'SELECT topic, partition, again_until FROM work_positions WHERE again_until > 0',
    );
    const [row] = await this.db.read<{ known: boolean }>('SELECT EXISTS (SELECT FROM own_events) AS known');
    this.until = new Map(rows.map((row) => [place(row.topic, row.partition), row.again_until]));
    this.known = row?.known ?? false;
  }

  /** Whether a record was on its topic when the restore was noticed, and may have been handled before. */
  hadRead(topic: string, { partition, offset }: { readonly partition: number; readonly offset: string }): boolean {
    return this.until.size > 0 && Number(offset) < (this.until.get(place(topic, partition)) ?? 0);
  }

  /** How many records of each partition (`topic/partition`) are still to be handled again. */
  async left(): Promise<Readonly<Record<string, number>>> {
    if (this.until.size === 0) return {};
    const rows = await this.db.read<{ topic: string; partition: number; left: number }>(
      'SELECT topic, partition, again_until - next_offset AS left FROM work_positions WHERE next_offset < again_until',
    );
    return Object.fromEntries(rows.map((row) => [place(row.topic, row.partition), row.left]));
  }

  /** The events that were published with these ids or subjects, in the order of its topics. */
  async published(tx: Reader, by: 'id' | 'subject', values: readonly string[]): Promise<Map<string, PublishedEvent[]>> {
    const found = new Map<string, PublishedEvent[]>();
    if (!this.known || values.length === 0) return found;
    const rows = await tx.query<{ id: string; subject: string | null; topic: string; type: string; data: unknown }>(
      `SELECT id, subject, topic, type, data FROM own_events WHERE ${by} = ANY($1) ORDER BY topic, partition, "offset"`,
      [values],
    );
    for (const { id, subject, topic, type, data } of rows) {
      const value = (by === 'id' ? id : subject) as string;
      const list = found.get(value) ?? [];
      found.set(value, list);
      list.push({ id, topic, type, data } as PublishedEvent);
    }
    return found;
  }
}
