import type { Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
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

/** Keeps the checkpoints that were published: somebody other than the recorder has to. */
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

/** Deletes a bounded number of checkpoints that were seen before; returns how many. The latest stays. */
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

  /** The largest first, below `before` leaves where that is given. */
  async checkpoints(before: number | undefined, limit: number): Promise<SeenCheckpoint[]> {
    const rows = await this.store.forPages.query<Omit<SeenCheckpoint, 'at'> & { at: Date }>(
      `SELECT size, root, origin, note, at FROM checkpoints WHERE size < $1 ORDER BY size DESC, root LIMIT $2`,
      [before ?? Number.MAX_SAFE_INTEGER, limit],
    );
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  }
}
