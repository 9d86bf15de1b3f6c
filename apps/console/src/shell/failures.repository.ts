import type { DataOf, Fault } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { PartCursor } from '../core/cursor.js';
import { type LetterState, waits } from '../core/replay.js';
import { readersOf } from './readers.js';

/**
 * The state of a letter, from its last order and from what its service said of an order. A success counts whatever else is ordered; a
 * failure counts only if it is of the last order.
 */
const letterState = `CASE
  WHEN e.outcome IN ('handled', 'scheduled') THEN e.outcome
  WHEN e.outcome = 'failed' AND e.ordered_at >= r.replayed_at THEN 'failed-again'
  WHEN r.dead_letter_id IS NOT NULL THEN 'ordered'
  ELSE 'open' END`;

export interface FailureRow {
  readonly deadLetterId: string;
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly type: string | null;
  readonly job: { readonly kind: string; readonly id: string } | null;
  readonly fault: Fault;
  readonly attempts: number;
  readonly at: string;
  readonly state: LetterState;
  /** The last order to handle it again. */
  readonly replayedBy: string | null;
  readonly replayedAt: string | null;
  readonly replayNote: string | null;
  /** When the service reported the end of an order. */
  readonly endedAt: string | null;
  /** Why it failed again, if it did. */
  readonly failedAgain: Fault | null;
}

type Stored = Omit<FailureRow, 'at' | 'replayedAt' | 'endedAt'> & {
  at: Date;
  replayedAt: Date | null;
  endedAt: Date | null;
};

const letter = `f.dead_letter_id AS "deadLetterId", f.service, f.topic, f.partition, f."offset", f.type, f.job, f.fault,
  greatest(f.attempts, e.attempts) AS attempts, f.at, ${letterState} AS state, r.by_person AS "replayedBy", r.replayed_at AS "replayedAt",
  r.note AS "replayNote", e.at AS "endedAt", e.fault AS "failedAgain"`;
const letters = `failures f LEFT JOIN replays r ON r.dead_letter_id = f.dead_letter_id
  LEFT JOIN replay_ends e ON e.dead_letter_id = f.dead_letter_id`;
/**
 * The condition that no order exists for a letter. If its service says that the letter was handled, there was an order that is not known
 * here yet.
 */
export const notOrdered = `NOT EXISTS (SELECT FROM replays r WHERE r.dead_letter_id = f.dead_letter_id)
  AND NOT EXISTS (SELECT FROM replay_ends e WHERE e.dead_letter_id = f.dead_letter_id AND e.outcome <> 'failed')`;
/** How many letters need a person: there was no order, or the last order failed. */
export const waitingLetters = `
  (SELECT count(*) FROM failures f WHERE ${notOrdered}) +
  (SELECT count(*) FROM replay_ends e JOIN replays r ON r.dead_letter_id = e.dead_letter_id
   WHERE e.outcome = 'failed' AND e.ordered_at >= r.replayed_at)`;

/** Records and jobs that services could not handle, and the orders to handle them again. */
@Injectable()
export class FailureStore {
  private readonly forActs: Reader;
  readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forActs: this.forActs, forPages: this.forPages } = readersOf(runtime));
  }

  /**
   * Letters that need a person come first; each of the two parts has the newest first. Reads one row more than the limit, to see whether
   * there are more.
   */
  async list(service: string | undefined, behind: PartCursor | undefined, limit: number): Promise<FailureRow[]> {
    const ofService = service === undefined ? '' : 'AND f.service = $2';
    const params = [limit, ...(service === undefined ? [] : [service]), ...(behind ? [behind.at, behind.id] : [])];
    const older = `(f.at, f.dead_letter_id) < ($${params.length - 1}, $${params.length})`;
    const failedAgain = `${letterState} = 'failed-again'`;
    const [waiting, failed, done] =
      behind === undefined
        ? ['', `${failedAgain} OR`, `NOT (${failedAgain})`]
        : behind.part === 'waiting'
          ? [`AND ${older}`, `(${failedAgain} AND ${older}) OR`, `NOT (${failedAgain})`]
          : ['AND false', '', `NOT (${failedAgain}) AND ${older}`];
    // Orders are found through the orders and their ends: there are only as many as people gave.
    const rows = await this.forPages.query<Stored>(
      `SELECT * FROM (
         (SELECT ${letter} FROM ${letters} WHERE ${notOrdered} ${ofService} ${waiting}
          ORDER BY f.at DESC, f.dead_letter_id DESC LIMIT $1)
         UNION ALL
         (SELECT ${letter} FROM ${letters} WHERE f.dead_letter_id IN (SELECT dead_letter_id FROM replays UNION SELECT dead_letter_id FROM replay_ends)
            AND ${letterState} <> 'open' ${ofService} AND (${failed} ${done})
          ORDER BY (${letterState} <> 'failed-again'), f.at DESC, f.dead_letter_id DESC LIMIT $1)
       ) f ORDER BY (state NOT IN ('open', 'failed-again')), at DESC, "deadLetterId" DESC LIMIT $1`,
      params,
    );
    return rows.map(failure);
  }

  async find(deadLetterId: string, reader = this.forActs): Promise<FailureRow | undefined> {
    const [row] = await reader.query<Stored>(`SELECT ${letter} FROM ${letters} WHERE f.dead_letter_id = $1`, [
      deadLetterId,
    ]);
    return row && failure(row);
  }

  /** The same, with its row locked first: if two people order it at the same time, the second is told. */
  async lock(tx: Tx, deadLetterId: string): Promise<FailureRow | undefined> {
    await tx.query('SELECT FROM failures WHERE dead_letter_id = $1 FOR UPDATE', [deadLetterId]);
    return this.find(deadLetterId, tx);
  }

  /** The states of these letters, as far as they are known. */
  async states(reader: Reader, deadLetterIds: readonly string[]): Promise<ReadonlyMap<string, LetterState>> {
    const rows = await reader.query<{ id: string; state: LetterState }>(
      `SELECT f.dead_letter_id AS id, ${letterState} AS state FROM ${letters} WHERE f.dead_letter_id = ANY($1)`,
      [deadLetterIds],
    );
    return new Map(rows.map(({ id, state }) => [id, state]));
  }

  /** Stores an order. Only the last order is shown. */
  order(tx: Tx, { deadLetterId, by, note, at }: DataOf<'DeadLetterReplayed'>): void {
    tx.write(
      `INSERT INTO replays AS r (dead_letter_id, by_person, replayed_at, note) VALUES ($1, $2, $3, $4)
       ON CONFLICT (dead_letter_id) DO UPDATE SET by_person = excluded.by_person, replayed_at = excluded.replayed_at, note = excluded.note
       WHERE r.replayed_at <= excluded.replayed_at`,
      [deadLetterId, by, at, note ?? null],
    );
  }
}

const failure = (row: Stored): FailureRow => ({
  ...row,
  at: row.at.toISOString(),
  replayedAt: row.replayedAt?.toISOString() ?? null,
  endedAt: row.endedAt?.toISOString() ?? null,
});

/** The place in the list after which it continues: that of a letter. */
export const placeOfLetter = ({ state, at, deadLetterId }: FailureRow): string =>
  `${waits(state) ? 'waiting' : 'done'},${at},${deadLetterId}`;
