import type { Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { evenSizes } from '../core/even-sizes.js';
import type { Checkpoint } from '../core/project.js';
import { Store } from './console.repository.js';

/** A checkpoint as it was seen on its topic. */
export interface SeenCheckpoint {
  readonly size: number;
  readonly root: string;
  readonly origin: string;
  readonly note: string;
  readonly at: string;
}

type Row = Omit<SeenCheckpoint, 'at'> & { readonly at: Date };
const seenOf = (row: Row): SeenCheckpoint => ({ ...row, at: row.at.toISOString() });

/** Stores the checkpoints that were published: a service other than the recorder must have them. */
export function storeCheckpoints(tx: Tx, checkpoints: readonly Checkpoint[], at: string): void {
  if (checkpoints.length === 0) return;
  const sorted = [...checkpoints].sort((a, b) => a.size - b.size || (a.rootHash < b.rootHash ? -1 : 1));
  tx.write(
    `INSERT INTO checkpoints (size, root, origin, note, at, seen_at)
     SELECT n.*, $6 FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS n ON CONFLICT DO NOTHING`,
    [
      sorted.map(({ size }) => size),
      sorted.map(({ rootHash }) => rootHash),
      sorted.map(({ origin }) => origin),
      sorted.map(({ note }) => note),
      sorted.map((checkpoint) => checkpoint.at),
      at,
    ],
  );
}

/** Deletes a bounded number of checkpoints that were seen before `before`. Returns how many. The latest stays. */
export async function forgetCheckpoints(tx: Tx, before: string, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM checkpoints WHERE (size, root) IN (
       SELECT size, root FROM checkpoints WHERE seen_at < $1 AND size < (SELECT max(size) FROM checkpoints) ORDER BY seen_at LIMIT $2)
     RETURNING 1`,
    [before, limit],
  );
  return rows.length;
}

/** The checkpoints of the record that the console has seen. */
@Injectable()
export class CheckpointStore {
  constructor(@Inject(Store) private readonly store: Store) {}

  /** The largest first; if `before` is given, only those with fewer leaves. */
  async checkpoints(before: number | undefined, limit: number): Promise<SeenCheckpoint[]> {
    const rows = await this.store.forPages.query<Row>(
      `SELECT size, root, origin, note, at FROM checkpoints WHERE size < $1 ORDER BY size DESC, root LIMIT $2`,
      [before ?? Number.MAX_SAFE_INTEGER, limit],
    );
    return rows.map(seenOf);
  }

  /**
   * At most `most` sizes, spread evenly from the oldest checkpoint to the newest, the largest first: a rebuilt record must agree with all
   * of them. There are at most two checkpoints of one size, which is enough to show that the record signed two histories.
   */
  async spread(most: number): Promise<SeenCheckpoint[]> {
    const latest = await this.checkpoints(undefined, most + 1);
    const [largest] = latest;
    if (!largest || latest.length <= most) return latest;
    const [smallest] = await this.store.forPages.query<{ size: number }>(
      'SELECT size FROM checkpoints ORDER BY size LIMIT 1',
    );
    const rows = await this.store.forPages.query<Row>(
      `SELECT DISTINCT found.* FROM unnest($1::bigint[]) AS due(size)
       CROSS JOIN LATERAL (SELECT size FROM checkpoints WHERE size <= due.size ORDER BY size DESC LIMIT 1) AS nearest
       CROSS JOIN LATERAL (
         SELECT size, root, origin, note, at FROM checkpoints WHERE size = nearest.size ORDER BY root LIMIT 2) AS found
       ORDER BY size DESC, root`,
      [evenSizes(smallest?.size ?? 0, largest.size, most)],
    );
    return rows.map(seenOf);
  }
}
