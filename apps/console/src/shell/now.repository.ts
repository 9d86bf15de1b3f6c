import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type MinuteCount, recentMs } from '../core/rates.js';
import type { SpendRow } from '../core/spend.js';
import { notOrdered } from './failures.repository.js';
import { readersOf } from './readers.js';

const before = (at: string, ms: number): string => new Date(Date.parse(at) - ms).toISOString();
/** Steps are shown for an hour; another hour is kept for clocks that are behind. */
const stepsRetentionMs = 2 * recentMs;
const dayMs = 86_400_000;
/** A week, like the activities: the amount that an action held on a day matters on that day. */
const retentionMs = 7 * dayMs;

/** The data of the page Now. */
@Injectable()
export class NowStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /** Steps of the last hour, by whole minutes before now. */
  recentSteps(at: string): Promise<MinuteCount[]> {
    return this.forPages.query<MinuteCount>(
      `SELECT stage, label, floor(extract(epoch FROM $1::timestamptz - slot) / 60)::int AS "minutesAgo", sum(n)::bigint AS n
       FROM recent_steps WHERE slot > $2 AND slot <= $1 GROUP BY 1, 2, 3`,
      [at, before(at, recentMs)],
    );
  }

  /** Amounts approved for these days: held until the action settles, committed if it was executed, otherwise nothing. */
  spend(days: readonly string[]): Promise<SpendRow[]> {
    return this.forPages.query<SpendRow>(
      `SELECT a.day, a.agent, a.ad_account_id AS "adAccountId", a.campaign_id AS "campaignId", a.currency,
              least(coalesce(sum(a.amount_minor) FILTER (WHERE s.outcome IS NULL OR s.outcome = 'unresolved'), 0), ${exact})::bigint AS "heldMinor",
              least(coalesce(sum(greatest(a.amount_minor, s.spent_minor)) FILTER (WHERE s.outcome = 'executed'), 0), ${exact})::bigint AS "committedMinor"
       FROM approvals a LEFT JOIN settlements s ON s.action_id = a.action_id AND s.executor = a.executor AND s.approved
       WHERE a.day = ANY($1) GROUP BY 1, 2, 3, 4, 5 LIMIT 10000`,
      [days],
    );
  }

  /** For each service, the dead letters that need a person, as `waitingLetters` counts them, with the oldest. */
  async openDeadLetters(): Promise<{ service: string; n: number; oldestAt: string }[]> {
    const rows = await this.forPages.query<{ service: string; n: number; oldestAt: Date }>(
      `SELECT service, count(*) AS n, min(at) AS "oldestAt" FROM (
         SELECT f.service, f.at FROM failures f WHERE ${notOrdered}
         UNION ALL
         SELECT f.service, f.at FROM replay_ends e JOIN replays r ON r.dead_letter_id = e.dead_letter_id
           JOIN failures f ON f.dead_letter_id = e.dead_letter_id
         WHERE e.outcome = 'failed' AND e.ordered_at >= r.replayed_at) f
       GROUP BY service ORDER BY service`,
    );
    return rows.map((row) => ({ ...row, oldestAt: row.oldestAt.toISOString() }));
  }

  /** When each topic was last heard. */
  async topicsHeard(): Promise<{ topic: string; at: string }[]> {
    const rows = await this.forPages.query<{ topic: string; at: Date }>('SELECT topic, at FROM topics_heard');
    return rows.map(({ topic, at }) => ({ topic, at: at.toISOString() }));
  }

  /** The description of these actions, as it was approved. */
  async details(actionIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.forPages.query<{ action_id: string; detail: string }>(
      'SELECT action_id, detail FROM approvals WHERE action_id = ANY($1)',
      [actionIds],
    );
    return new Map(rows.map((row) => [row.action_id, row.detail]));
  }

  /** Deletes a bounded number of rows that no page shows any more. Returns whether the bound was reached. */
  async forget(tx: Tx, at: string, limit: number): Promise<boolean> {
    tx.write('DELETE FROM recent_steps WHERE slot < $1', [before(at, stepsRetentionMs)]);
    const deleted = [
      await tx.query(
        'DELETE FROM pending_tasks WHERE task_id IN (SELECT task_id FROM pending_tasks WHERE kept_at < $1 ORDER BY kept_at LIMIT $2) RETURNING 1',
        [before(at, retentionMs), limit],
      ),
      await tx.query(
        'DELETE FROM approvals WHERE action_id IN (SELECT action_id FROM approvals WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) RETURNING 1',
        [before(at, retentionMs), limit],
      ),
    ];
    return deleted.some((rows) => rows.length === limit);
  }
}

/** The largest number that is exact in JSON. */
const exact = Number.MAX_SAFE_INTEGER;
