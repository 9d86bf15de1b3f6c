import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Ending } from '../core/card.js';
import type { Known } from '../core/control.js';
import type { Cursor } from '../core/cursor.js';
import type { Count } from '../core/funnel.js';
import type { Activity, Escalation, Settlement, Verdict } from '../core/project.js';
import type { ReviewRecord } from '../core/result.js';
import type { Standing } from '../core/review.js';
import { type EndingRow, endingColumns, endingOf } from './endings.js';
import { waitingLetters } from './failures.repository.js';
import { readersOf } from './readers.js';
import { unresolvedPermits } from './unresolved.repository.js';

interface EscalationRow extends EndingRow {
  action_id: string;
  subject_kind: 'proposal' | 'checkpoint';
  subject_id: string;
  run_id: string;
  action_key: string;
  digest: string;
  correlation_id: string;
  traceparent: string | null;
  card: Escalation['card'];
  deadline_at: Date;
  escalated_at: Date;
  standing: Standing;
  answered_by: string | null;
  answered_as: ReviewRecord['decision'] | null;
}

export interface Standings {
  readonly escalation: Escalation;
  readonly standing: Standing;
  /** The answer that counts so far. */
  readonly answer?: { readonly by: string; readonly decision: ReviewRecord['decision'] };
  readonly ending: Ending | null;
}

/**
 * The state of each escalation at `$1`, from what the topics have said so far, in any order. An answer from this console counts from the
 * moment it is given; its result comes from the validator or the orchestrator. Each join is one lookup in an index, so a list that ends
 * early reads no table whole.
 */
export const standings = `
  SELECT e.*, CASE
    WHEN v.outcome = 'approved' OR run.run_id IS NOT NULL THEN 'approved'
    WHEN v.superseded_by IS NOT NULL THEN 'superseded'
    WHEN v.reasons @> '[{"rule": "review-deadline"}]' OR held.outcome = 'expired' THEN 'expired'
    WHEN v.outcome = 'refused' OR held.outcome IS NOT NULL OR (e.subject_kind = 'checkpoint' AND answer.decision = 'reject') THEN 'refused'
    WHEN answer.review_id IS NOT NULL THEN 'answered'
    WHEN e.deadline_at <= $1 THEN 'expired'
    ELSE 'open' END AS standing, answer.by_person AS answered_by, answer.decision AS answered_as,
    ${endingColumns('held')}
  FROM escalations e
  LEFT JOIN LATERAL (SELECT * FROM verdicts f WHERE f.action_id = e.action_id LIMIT 1) v ON true
  LEFT JOIN LATERAL (SELECT a.run_id FROM assigned_runs a WHERE e.subject_kind = 'checkpoint' AND a.run_id = e.run_id LIMIT 1) run ON true
  LEFT JOIN LATERAL (SELECT w.* FROM withheld_tasks w WHERE e.subject_kind = 'checkpoint' AND w.checkpoint_id = e.subject_id LIMIT 1) held ON true
  LEFT JOIN LATERAL (
    SELECT r.review_id, r.decision, r.by_person FROM reviews r
    WHERE r.subject_id = e.subject_id AND r.digest = e.digest AND r.decided_at >= e.escalated_at AND r.decided_at <= e.deadline_at
      AND NOT EXISTS (SELECT FROM set_asides s WHERE s.review_id = r.review_id)
    ORDER BY r.decided_at LIMIT 1
  ) answer ON true`;

/** At most this many answers are looked at, to find those that have no verdict yet. */
const mostAnswers = 2_000;
/** For a state that few escalations are in: the condition that finds these few among the many that are finished. */
const found: Readonly<Partial<Record<Standing, string>>> = {
  // An open escalation has its deadline in the future.
  open: 'WHERE e.deadline_at > $1',
  superseded: 'WHERE e.action_id IN (SELECT action_id FROM verdicts WHERE superseded_by IS NOT NULL)',
  // Its verdict is still to come, so the answer is one of the latest.
  answered: `WHERE e.subject_id IN (SELECT subject_id FROM reviews ORDER BY decided_at DESC LIMIT ${mostAnswers})`,
};

/** The console's own tables: the data of the projection, in the form that the core needs. */
@Injectable()
export class Store {
  /** For acts: no page delays them. */
  private readonly forActs: Reader;
  /** For reads that only show data. */
  readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forActs: this.forActs, forPages: this.forPages } = readersOf(runtime));
  }

  counts(): Promise<Count[]> {
    return this.forPages.query<Count>('SELECT stage, label, n FROM counts ORDER BY stage, label');
  }

  async openCounts(at: string): Promise<{ reviewsOpen: number; deadLettersOpen: number; unresolvedOpen: number }> {
    const [row] = await this.forPages.query<{ reviews: number; dead: number; unresolved: number }>(
      `SELECT (SELECT count(*) FROM (${standings} WHERE e.deadline_at > $1) e WHERE standing = 'open') AS reviews,
              (${waitingLetters}) AS dead,
              (SELECT count(*) FROM ${unresolvedPermits} WHERE s.outcome = 'unresolved') AS unresolved`,
      [at],
    );
    return { reviewsOpen: row?.reviews ?? 0, deadLettersOpen: row?.dead ?? 0, unresolvedOpen: row?.unresolved ?? 0 };
  }

  /** Open escalations: nearest deadline first, so that a limit cuts off those that can wait. All others: newest first. */
  async escalations(
    at: string,
    standing: Standing | undefined,
    behind: Cursor | undefined,
    limit: number,
  ): Promise<Standings[]> {
    const condition = (standing && found[standing]) ?? '';
    const [place, order] =
      standing === 'open'
        ? ['(deadline_at, action_id) >', 'deadline_at, action_id']
        : ['(escalated_at, action_id) <', 'escalated_at DESC, action_id DESC'];
    const rows = await this.forPages.query<EscalationRow>(
      `SELECT * FROM (${standings} ${condition}) e WHERE ($2::text IS NULL OR standing = $2)
       ${behind ? `AND ${place} ($4, $5)` : ''} ORDER BY ${order} LIMIT $3`,
      [at, standing ?? null, limit, ...(behind ? [behind.at, behind.id] : [])],
    );
    return rows.map(standingsOf);
  }

  /** The latest escalation of a proposal or checkpoint. */
  async escalation(at: string, subjectId: string, reader = this.forActs): Promise<Standings | undefined> {
    const [row] = await reader.query<EscalationRow>(
      `${standings} WHERE e.subject_id = $2 ORDER BY e.escalated_at DESC LIMIT 1`,
      [at, subjectId],
    );
    return row && standingsOf(row);
  }

  /** The state of the latest escalation of each subject, with the digest that it is of. */
  async standings(
    reader: Reader,
    at: string,
    subjectIds: readonly string[],
  ): Promise<ReadonlyMap<string, { readonly digest: string; readonly standing: Standing }>> {
    const rows = await reader.query<Pick<EscalationRow, 'subject_id' | 'digest' | 'standing'>>(
      `SELECT DISTINCT ON (subject_id) subject_id, digest, standing FROM (${standings} WHERE e.subject_id = ANY($2)) e
       ORDER BY subject_id, escalated_at DESC`,
      [at, subjectIds],
    );
    return new Map(rows.map(({ subject_id, digest, standing }) => [subject_id, { digest, standing }]));
  }

  /** The same, with its row locked first: if two people answer here at the same time, the second is told. */
  async lockEscalation(tx: Tx, at: string, subjectId: string): Promise<Standings | undefined> {
    await tx.query('SELECT FROM escalations WHERE subject_id = $1 ORDER BY action_id FOR UPDATE', [subjectId]);
    const [row] = await tx.query<EscalationRow>(
      `${standings} WHERE e.subject_id = $2 ORDER BY e.escalated_at DESC LIMIT 1`,
      [at, subjectId],
    );
    return row && standingsOf(row);
  }

  async insertReview(tx: Tx, decided: DataOf<'ReviewDecided'>, requestDigest: string): Promise<void> {
    await tx.query(
      `INSERT INTO reviews (review_id, subject_kind, subject_id, digest, decision, by_person, note, category, request_digest, decided_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        decided.reviewId,
        decided.subject.kind,
        decided.subject.id,
        decided.digest,
        decided.decision,
        decided.by,
        decided.note ?? null,
        decided.category ?? null,
        requestDigest,
        decided.at,
      ],
    );
  }

  async requestDigest(reviewId: string): Promise<string | null | undefined> {
    const [row] = await this.forActs.query<{ request_digest: string | null }>(
      'SELECT request_digest FROM reviews WHERE review_id = $1',
      [reviewId],
    );
    return row?.request_digest;
  }

  /** A review, and what the topics have said of it since: the verdict that follows from it, or else the verdict on what it answered. */
  async review(reviewId: string): Promise<ReviewRecord | undefined> {
    const [row] = await this.forPages.query<ReviewRow>(
      `SELECT r.*, s.reason AS set_aside, v.action_id, v.outcome, v.review_id AS verdict_review_id, v.superseded_by, v.reasons, v.not_before, v.executor AS verdict_executor, v.decided_at AS verdict_at,
              t.outcome AS settled, t.executor, t.detail, t.external_reference, t.settled_at, run.assigned_at,
              ${endingColumns('w')}
       FROM reviews r
       LEFT JOIN set_asides s ON s.review_id = r.review_id
       LEFT JOIN LATERAL (
         SELECT v.* FROM verdicts v
         WHERE v.superseded_by IS NULL AND (v.review_id = r.review_id OR v.action_id IN (
           SELECT e.action_id FROM escalations e WHERE e.subject_id = r.subject_id AND e.digest = r.digest AND r.decision <> 'edit'))
         ORDER BY (v.review_id = r.review_id) DESC NULLS LAST, v.decided_at DESC LIMIT 1
       ) v ON true
       LEFT JOIN settlements t ON t.action_id = v.action_id AND t.executor = v.executor
       LEFT JOIN escalations c ON r.subject_kind = 'checkpoint' AND c.action_id = r.subject_id
       LEFT JOIN assigned_runs run ON run.run_id = c.run_id
       LEFT JOIN withheld_tasks w ON w.checkpoint_id = c.subject_id
       WHERE r.review_id = $1`,
      [reviewId],
    );
    return row && reviewRecord(row);
  }

  /** Who answered a proposal or checkpoint, and whether the answer was set aside. */
  async answers(subjectId: string): Promise<Answer[]> {
    const rows = await this.forPages.query<Omit<Answer, 'at'> & { at: Date }>(
      `SELECT r.review_id AS "reviewId", r.by_person AS by, r.decision, r.note, r.category, r.decided_at AS at, s.reason AS "setAside"
       FROM reviews r LEFT JOIN set_asides s ON s.review_id = r.review_id WHERE r.subject_id = $1 ORDER BY r.decided_at`,
      [subjectId],
    );
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  }

  async policy(reader = this.forActs): Promise<PolicyRow | undefined> {
    // The text as it was published: jsonb would change the order of its parts.
    const [row] = await reader.query<{ data: DataOf<'PolicyPublished'> }>(
      `SELECT value::json AS data FROM published_state WHERE topic = 'policies.v1' AND key = 'main' AND value IS NOT NULL`,
    );
    if (!row) return undefined;
    const { version, digest, parts, content, by, changedAt } = row.data;
    return { version, digest, parts, content, by, publishedAt: changedAt };
  }

  /** The digests of the parts of the policy in force; undefined if none was published. */
  async partsInForce(): Promise<PolicyRow['parts'] | undefined> {
    const [row] = await this.forPages.query<{ parts: PolicyRow['parts'] }>(
      `SELECT data->'parts' AS parts FROM published_state WHERE topic = 'policies.v1' AND key = 'main' AND data IS NOT NULL`,
    );
    return row?.parts;
  }

  async known(): Promise<Known> {
    const content = (await this.policy())?.content;
    return { agents: content?.charters.map((c) => c.agent) ?? [], plays: content?.plays.map((p) => p.id) ?? [] };
  }

  /** The events in the chains that an id belongs to. The id is a correlation id, or the id of a task, a proposal or a dead letter. */
  async activities(id: string, limit: number): Promise<ListedActivity[]> {
    const rows = await this.forPages.query<Omit<ListedActivity, 'at'> & { at: Date }>(
      `SELECT correlation_id AS "correlationId", topic, event_id AS "eventId", type, subject_id AS "subjectId", detail, at FROM activities
       WHERE correlation_id IN (SELECT $1 UNION SELECT correlation_id FROM activities WHERE subject_id = $1)
       ORDER BY at, seq LIMIT $2`,
      [id, limit],
    );
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  }

  /** Deletes a bounded number of activities that are older than `before`. Returns how many. */
  async forgetActivities(tx: Tx, before: string, limit: number): Promise<number> {
    const rows = await tx.query(
      `DELETE FROM activities WHERE seq IN (SELECT seq FROM activities WHERE at < $1 ORDER BY seq LIMIT $2) RETURNING 1`,
      [before, limit],
    );
    return rows.length;
  }
}

/** What a page shows of an event. */
export type ListedActivity = Omit<Activity, 'partition' | 'offset' | 'bytes'>;

export interface Answer {
  readonly reviewId: string;
  readonly by: string;
  readonly decision: ReviewRecord['decision'];
  readonly note: string | null;
  readonly category: DataOf<'ReviewDecided'>['category'] | null;
  readonly at: string;
  readonly setAside: ReviewRecord['setAside'];
}

export interface PolicyRow {
  readonly version: number;
  readonly digest: string;
  readonly parts: Record<string, string>;
  readonly content: DataOf<'PolicyPublished'>['content'];
  readonly by: string;
  readonly publishedAt: string;
}

interface ReviewRow extends EndingRow {
  review_id: string;
  subject_kind: 'proposal' | 'checkpoint';
  subject_id: string;
  decision: ReviewRecord['decision'];
  by_person: string;
  decided_at: Date;
  set_aside: ReviewRecord['setAside'];
  action_id: string | null;
  outcome: Verdict['outcome'] | null;
  verdict_review_id: string | null;
  superseded_by: string | null;
  reasons: Verdict['reasons'] | null;
  not_before: Date | null;
  verdict_executor: string | null;
  verdict_at: Date | null;
  settled: Settlement['outcome'] | null;
  executor: string | null;
  detail: string | null;
  external_reference: string | null;
  settled_at: Date | null;
  assigned_at: Date | null;
}

const standingsOf = (row: EscalationRow): Standings => ({
  standing: row.standing,
  ...(row.answered_by !== null &&
    row.answered_as !== null && { answer: { by: row.answered_by, decision: row.answered_as } }),
  ending: endingOf(row),
  escalation: {
    actionId: row.action_id,
    subject: { kind: row.subject_kind, id: row.subject_id },
    runId: row.run_id,
    key: row.action_key,
    digest: row.digest,
    correlationId: row.correlation_id,
    ...(row.traceparent !== null && { traceparent: row.traceparent }),
    deadline: row.deadline_at.toISOString(),
    at: row.escalated_at.toISOString(),
    card: row.card,
  },
});

const reviewRecord = (row: ReviewRow): ReviewRecord => ({
  reviewId: row.review_id,
  subject: { kind: row.subject_kind, id: row.subject_id },
  decision: row.decision,
  by: row.by_person,
  at: row.decided_at.toISOString(),
  setAside: row.set_aside,
  verdict:
    row.action_id && row.outcome && row.verdict_at
      ? {
          actionId: row.action_id,
          outcome: row.outcome,
          reviewId: row.verdict_review_id,
          supersededBy: row.superseded_by,
          reasons: row.reasons ?? [],
          notBefore: row.not_before?.toISOString() ?? null,
          executor: row.verdict_executor,
          at: row.verdict_at.toISOString(),
        }
      : null,
  settlement:
    row.action_id && row.settled && row.settled_at && row.executor
      ? {
          actionId: row.action_id,
          outcome: row.settled,
          executor: row.executor,
          detail: row.detail,
          externalReference: row.external_reference,
          at: row.settled_at.toISOString(),
        }
      : null,
  tasksAssignedAt: row.assigned_at?.toISOString() ?? null,
  ending: endingOf(row),
});
