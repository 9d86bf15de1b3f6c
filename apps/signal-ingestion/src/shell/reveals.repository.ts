import type { Tx } from '@countersign/runtime';
import { Injectable } from '@nestjs/common';

const HOUR = 3_600_000;

/** Which requests were answered, and when: it limits the reveals per hour, for all people together, and answers each request once. */
@Injectable()
export class RevealStore {
  /** The requests that were answered within the last hour. A concurrent count waits for this transaction. */
  async withinAnHour(tx: Tx, at: string): Promise<Set<string>> {
    await tx.query('LOCK TABLE reveals IN SHARE ROW EXCLUSIVE MODE');
    tx.write('DELETE FROM reveals WHERE revealed_at <= $1', [new Date(Date.parse(at) - HOUR).toISOString()]);
    const rows = await tx.query<{ reveal_id: string }>('SELECT reveal_id FROM reveals');
    return new Set(rows.map((row) => row.reveal_id));
  }

  /** Fails if the id exists: a reveal that is not counted must not be answered. */
  insert(tx: Tx, revealId: string, at: string): void {
    tx.write('INSERT INTO reveals (reveal_id, revealed_at) VALUES ($1, $2)', [revealId, at]);
  }
}
