import type { Tx } from '@countersign/runtime';
import { Injectable } from '@nestjs/common';

const HOUR = 3_600_000;

/** When something was revealed, so that no more than may be is revealed in an hour, whoever asks. */
@Injectable()
export class RevealStore {
  async withinAnHour(tx: Tx, at: string): Promise<number> {
    tx.write('DELETE FROM reveals WHERE revealed_at <= $1', [new Date(Date.parse(at) - HOUR).toISOString()]);
    const [row] = await tx.query<{ n: number }>('SELECT count(*)::int AS n FROM reveals');
    return row?.n ?? 0;
  }

  keep(tx: Tx, revealId: string, at: string): void {
    tx.write('INSERT INTO reveals (reveal_id, revealed_at) VALUES ($1, $2) ON CONFLICT DO NOTHING', [revealId, at]);
  }
}
