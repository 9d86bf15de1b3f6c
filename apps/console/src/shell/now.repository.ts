import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type MinuteCount, recentMs } from '../core/rates.js';
import { type DayCaps, type Figures, type Holder, mostFigures, type SpendFigure } from '../core/spend.js';
import type { Budget } from '../core/things.js';
import { notOrdered } from './failures.repository.js';
import { campaignNamed, type NamedThings, thingsNamed } from './names.js';
import { readersOf } from './readers.js';

const before = (at: string, ms: number): string => new Date(Date.parse(at) - ms).toISOString();
/** Steps are shown for an hour; another hour is kept for clocks that are behind. */
const stepsRetentionMs = 2 * recentMs;
const dayMs = 86_400_000;
/** A week, like the activities: the amount that an action held on a day matters on that day. */
const retentionMs = 7 * dayMs;

/** Rejected permits that are counted at most: whoever may write approvals may write any number. */
const mostRejected = 1_000;

/** The largest number that is exact in JSON. A connected system may report any spend. */
const exact = Number.MAX_SAFE_INTEGER;
const settledAs = 'LEFT JOIN settlements s ON s.action_id = a.action_id AND s.executor = a.executor AND s.approved';
/** Amounts of approvals, by any columns. They are summed once by all columns, and these few sums by holder. */
const amounts = `
  coalesce(sum(a.amount_minor) FILTER (WHERE s.outcome IS NULL OR s.outcome = 'unresolved'), 0) AS held,
  coalesce(sum(greatest(a.amount_minor, s.spent_minor)) FILTER (WHERE s.outcome = 'executed'), 0) AS committed`;

export interface ApprovedAction extends NamedThings {
  readonly detail: string;
}

/** Permits that an executor rejected for one reason. */
export interface RejectedPermits {
  readonly detail: string;
  readonly count: number;
  readonly lastAt: string;
  readonly proposalId: string | null;
}

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

  /**
   * Amounts approved for today: held until the action settles, committed if it was executed, otherwise nothing. Today is the day of the
   * agent's charter; without a charter it is the day in UTC. A cap has a figure beside amounts in its own currency only. The database
   * adds up, because a day may have any number of campaigns.
   */
  async spend(caps: readonly DayCaps[], utcDay: string): Promise<Figures> {
    const rows = await this.forPages.query<SpendFigure & { holder: Holder; count: number }>(
      `WITH charters AS (
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $7::bigint[], $8::text[])
           AS c(agent, day, account_cap, campaign_cap, agent_cap, currency)),
       summed AS (
         SELECT a.day, a.currency, a.agent, a.ad_account_id, a.campaign_id, d.account_cap, d.campaign_cap, d.agent_cap, ${amounts}
         FROM approvals a ${settledAs} LEFT JOIN charters c ON c.agent = a.agent
         LEFT JOIN charters d ON d.agent = a.agent AND d.currency = a.currency
         WHERE a.day = ANY($5) AND a.day = coalesce(c.day, $6)
         GROUP BY a.day, a.currency, a.agent, a.ad_account_id, a.campaign_id, d.account_cap, d.campaign_cap, d.agent_cap),
       figures AS (
         SELECT CASE WHEN grouping(a.ad_account_id) = 0 THEN 'ad-account' WHEN grouping(a.campaign_id) = 0 THEN 'campaign' ELSE 'agent' END AS holder,
           coalesce(a.ad_account_id, a.campaign_id, a.agent) AS id, a.day, a.currency,
           least(sum(a.held), ${exact})::bigint AS "heldMinor", least(sum(a.committed), ${exact})::bigint AS "committedMinor",
           CASE WHEN grouping(a.ad_account_id) = 0 THEN min(a.account_cap) WHEN grouping(a.campaign_id) = 0 THEN min(a.campaign_cap) ELSE min(a.agent_cap) END AS "capMinor",
           array_agg(DISTINCT a.agent) AS agents,
           CASE WHEN grouping(a.campaign_id) = 0 THEN array_agg(DISTINCT a.ad_account_id) END AS campaign_of
         FROM summed a
         GROUP BY a.day, a.currency, GROUPING SETS ((a.ad_account_id), (a.campaign_id), (a.agent))
         HAVING coalesce(a.ad_account_id, a.campaign_id, a.agent) IS NOT NULL),
       placed AS (
         SELECT *, count(*) OVER (PARTITION BY holder) AS count, row_number() OVER (PARTITION BY holder
           ORDER BY CASE WHEN "capMinor" IS NULL THEN 0 ELSE ("heldMinor" + "committedMinor")::numeric / greatest(1, "capMinor") END DESC,
             "heldMinor" + "committedMinor" DESC, id) AS place
         FROM figures)
       SELECT holder, id, ${campaignNamed('campaign_of', 'id')} AS name, day, currency, "heldMinor", "committedMinor", "capMinor", agents, count FROM placed
       WHERE place <= ${mostFigures} ORDER BY holder, place`,
      [
        caps.map(({ agent }) => agent),
        caps.map(({ day }) => day),
        caps.map(({ adAccountMinor }) => adAccountMinor),
        caps.map(({ campaignMinor }) => campaignMinor),
        [...new Set([utcDay, ...caps.map(({ day }) => day)])],
        utcDay,
        caps.map(({ agentMinor }) => agentMinor),
        caps.map(({ currency }) => currency),
      ],
    );
    const figuresOf = (holder: Holder) => {
      const own = rows.filter((row) => row.holder === holder);
      return { first: own.map(({ holder: _, count: __, ...figure }) => figure), count: own[0]?.count ?? 0 };
    };
    return { 'ad-account': figuresOf('ad-account'), campaign: figuresOf('campaign'), agent: figuresOf('agent') };
  }

  /** How much of each of these budgets of a day is held and committed, by all agents; in their order. */
  async used(
    reader: Reader,
    budgets: readonly Pick<Budget, 'holder' | 'id' | 'day' | 'currency'>[],
  ): Promise<number[]> {
    const rows = await reader.query<{ used: number }>(
      `WITH summed AS (
         SELECT a.day, a.currency, a.ad_account_id, a.campaign_id, ${amounts} FROM approvals a ${settledAs}
         WHERE a.day = ANY($3) GROUP BY a.day, a.currency, a.ad_account_id, a.campaign_id),
       totals AS (
         SELECT CASE WHEN grouping(ad_account_id) = 0 THEN 'ad-account' ELSE 'campaign' END AS holder,
           coalesce(ad_account_id, campaign_id) AS id, day, currency, least(sum(held + committed), ${exact})::bigint AS used
         FROM summed GROUP BY day, currency, GROUPING SETS ((ad_account_id), (campaign_id)))
       SELECT coalesce(t.used, 0)::bigint AS used
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS b(holder, id, day, currency, n)
       LEFT JOIN totals t USING (holder, id, day, currency) ORDER BY b.n`,
      [
        budgets.map(({ holder }) => holder),
        budgets.map(({ id }) => id),
        budgets.map(({ day }) => day),
        budgets.map(({ currency }) => currency),
      ],
    );
    return rows.map(({ used }) => used);
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

  /** The permits that executors rejected since a time, grouped by executor and reason, the latest first. */
  async rejectedPermits(
    since: string,
    limit: number,
  ): Promise<{ readonly count: number; readonly first: readonly RejectedPermits[] }> {
    const rows = await this.forPages.query<Omit<RejectedPermits, 'lastAt'> & { lastAt: Date; total: number }>(
      `SELECT detail, count(*) AS count, max(at) AS "lastAt", (array_agg(subject_id ORDER BY at DESC, seq DESC))[1] AS "proposalId",
              (sum(count(*)) OVER ())::bigint AS total
       FROM (SELECT seq, detail, subject_id, at FROM activities
             WHERE type = 'PermitRejected' AND at >= $1 ORDER BY at DESC LIMIT ${mostRejected}) latest
       GROUP BY detail ORDER BY "lastAt" DESC, detail LIMIT $2`,
      [since, limit],
    );
    return {
      count: rows[0]?.total ?? 0,
      first: rows.map(({ total: _, lastAt, ...row }) => ({ ...row, lastAt: lastAt.toISOString() })),
    };
  }

  /** When each topic was last heard. */
  async topicsHeard(): Promise<{ topic: string; at: string }[]> {
    const rows = await this.forPages.query<{ topic: string; at: Date }>('SELECT topic, at FROM topics_heard');
    return rows.map(({ topic, at }) => ({ topic, at: at.toISOString() }));
  }

  /** The description of these actions, as it was approved, and what it names. */
  async details(actionIds: readonly string[]): Promise<ReadonlyMap<string, ApprovedAction>> {
    const rows = await this.forPages.query<ApprovedAction & { action_id: string }>(
      `SELECT a.action_id, a.detail, ${thingsNamed('a')} FROM approvals a WHERE a.action_id = ANY($1)`,
      [actionIds],
    );
    return new Map(rows.map(({ action_id, ...action }) => [action_id, action]));
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
