import { type DataOf, taskGraceMs } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Within } from '../core/queue.js';
import { standings } from './console.repository.js';
import { type CampaignNamed, type NamedThings, thingsNamed } from './names.js';
import { readersOf } from './readers.js';

export interface ReviewWaiting {
  readonly id: string;
  readonly subject: 'proposal' | 'checkpoint';
  readonly detail: string;
  readonly agent: string | null;
  readonly play: string;
  readonly account: string | null;
  readonly campaigns: readonly CampaignNamed[];
  readonly since: string;
  readonly deadline: string;
}

/** A list that may be long: its length, and its first rows. */
export interface Counted<Row> {
  readonly count: number;
  readonly first: readonly Row[];
}

/** What waits to be answered, decided or run. A stop applies to it. */
@Injectable()
export class QueueStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  /** Reviews without an answer, the nearest deadline first. */
  async reviews(
    at: string,
    scope: Within,
    limit: number,
  ): Promise<Counted<ReviewWaiting> & { oldestAt: string | null }> {
    const rows = await this.forPages.query<OpenReview>(
      `SELECT subject_id, subject_kind, card, escalated_at, deadline_at, count(*) OVER () AS count, min(escalated_at) OVER () AS oldest
       FROM (${standings} WHERE e.deadline_at > $1) e
       WHERE standing = 'open'
         AND ($2::text IS NULL OR card->>'agent' = $2 OR EXISTS (SELECT FROM json_array_elements(card->'tasks') t WHERE t->>'agent' = $2))
         AND ($3::text IS NULL OR card->'play'->>'id' = $3)
         AND ($4::text[] IS NULL OR card->'action'->>'kind' = ANY($4))
         AND ($5::text IS NULL OR $5 IN (card->>'accountId', card->'action'->>'accountId', card->'action'->'payload'->>'adAccountId'))
       ORDER BY deadline_at, subject_id LIMIT $6`,
      [at, scope.agent, scope.play, scope.kinds, scope.account, limit],
    );
    return { ...counted(rows, reviewOf), oldestAt: rows[0]?.oldest.toISOString() ?? null };
  }

  /** Tasks that their agent has not answered, as long as an answer may still come. */
  async tasks(at: string, scope: Within, limit: number) {
    const rows = await this.forPages.query<PendingTask>(
      `SELECT task_id, agent, play, purpose, assigned_at, due_at, count(*) OVER () AS count FROM pending_tasks
       WHERE answered_at IS NULL AND due_at > $1 AND ($2::text IS NULL OR agent = $2) AND ($3::text IS NULL OR play = $3)
         AND ($4::text[] IS NULL OR kinds && $4) AND ($5::text IS NULL OR $5 = ANY(accounts))
       ORDER BY due_at, task_id LIMIT $6`,
      [
        new Date(Date.parse(at) - taskGraceMs).toISOString(),
        ...[scope.agent, scope.play, scope.kinds, scope.account, limit],
      ],
    );
    return counted(rows, (row) => ({
      ...{ taskId: row.task_id, agent: row.agent, play: row.play, purpose: row.purpose },
      ...{ assignedAt: row.assigned_at.toISOString(), dueAt: row.due_at.toISOString() },
    }));
  }

  /** Approved actions that have not settled and whose permit can still be opened. */
  async approved(at: string, scope: Within, limit: number) {
    const rows = await this.forPages.query<ApprovedRow>(
      `SELECT a.*, ${thingsNamed('a')} FROM (
       SELECT a.*, count(*) OVER () AS count, count(*) FILTER (WHERE not_before <= $1) OVER () AS due FROM approvals a
       WHERE expires_at > $1 AND ($2::text IS NULL OR agent = $2) AND ($3::text IS NULL OR play = $3)
         AND ($4::text[] IS NULL OR kind = ANY($4)) AND ($5::text IS NULL OR $5 = ANY(accounts))
         AND NOT EXISTS (SELECT FROM settlements s WHERE s.action_id = a.action_id AND s.executor = a.executor AND s.approved)
       ORDER BY not_before, action_id LIMIT $6) a ORDER BY not_before, action_id`,
      [at, scope.agent, scope.play, scope.kinds, scope.account, limit],
    );
    return {
      ...counted(rows, (row) => ({
        ...{ actionId: row.action_id, proposalId: row.proposal_id, agent: row.agent, play: row.play },
        ...{ executor: row.executor, detail: row.detail, people: row.people, campaigns: row.campaigns },
        ...{ approvedAt: row.approved_at.toISOString(), notBefore: row.not_before.toISOString() },
        expiresAt: row.expires_at.toISOString(),
      })),
      due: rows[0]?.due ?? 0,
    };
  }
}

const counted = <From extends { readonly count: number }, Row>(
  rows: readonly From[],
  read: (row: From) => Row,
): Counted<Row> => ({ count: rows[0]?.count ?? 0, first: rows.map(read) });

interface OpenReview {
  readonly subject_id: string;
  readonly subject_kind: 'proposal' | 'checkpoint';
  readonly card: DataOf<'ActionEscalated'> | DataOf<'TaskEscalated'>;
  readonly escalated_at: Date;
  readonly deadline_at: Date;
  readonly count: number;
  readonly oldest: Date;
}

const reviewOf = ({ subject_id, subject_kind, card, escalated_at, deadline_at }: OpenReview): ReviewWaiting => ({
  id: subject_id,
  subject: subject_kind,
  detail: 'tasks' in card ? card.detail : card.card.detail,
  agent: 'tasks' in card ? null : card.agent,
  play: card.play.title,
  account: ('tasks' in card ? card.accountName : card.card.accountName) ?? null,
  campaigns: 'tasks' in card ? [] : (card.card.campaigns ?? []).flatMap(named),
  since: escalated_at.toISOString(),
  deadline: deadline_at.toISOString(),
});

const named = ({ campaignId, name }: { campaignId: string; name?: string | undefined }): CampaignNamed[] =>
  name === undefined ? [] : [{ campaignId, name }];

interface PendingTask {
  readonly task_id: string;
  readonly agent: string;
  readonly play: string;
  readonly purpose: string;
  readonly assigned_at: Date;
  readonly due_at: Date;
  readonly count: number;
}

interface ApprovedRow extends NamedThings {
  readonly action_id: string;
  readonly proposal_id: string;
  readonly agent: string;
  readonly play: string;
  readonly executor: string;
  readonly detail: string;
  readonly approved_at: Date;
  readonly not_before: Date;
  readonly expires_at: Date;
  readonly count: number;
  readonly due: number;
}
