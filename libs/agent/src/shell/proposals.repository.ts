import {
  type Action,
  type ActionApproved,
  type ActionProposed,
  type ActionRefused,
  type ActionSettled,
  actionKey,
  kindSpec,
  logRetentionDays,
  longest,
  roundsBy,
  type TaskAssigned,
  takesPlaceRows,
  topics,
} from '@countersign/contracts';
import type { Cause, Tx, Work } from '@countersign/runtime';
import type { Answer, PlannedFrom } from '../core/answer.js';
import type { ClampedPlan } from '../core/clamp.js';
import { notOf, type Permit } from '../core/permit.js';
import { afterSettled, type ProposalState } from '../core/proposal-state.js';

/** A proposal as the agent stores it. */
export interface RememberedProposal {
  readonly proposalId: string;
  readonly taskId: string;
  readonly kind: string;
  readonly action: Action;
  readonly state: ProposalState;
  readonly proposedAt: string;
  readonly permit: Permit | undefined;
}

/** Stores tasks that are new and returns their ids. If a task comes again under another event, it is not answered again. */
export async function rememberTasks(tx: Tx, tasks: readonly TaskAssigned[], at: string): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ task_id: string }>(
    `INSERT INTO tasks (task_id, task, received_at, due_at)
     SELECT task_id, task, $4, due_at FROM unnest($1::uuid[], $2::jsonb[], $3::timestamptz[]) AS n(task_id, task, due_at)
     ORDER BY task_id ON CONFLICT DO NOTHING RETURNING task_id`,
    [tasks.map((t) => t.taskId), tasks.map((t) => JSON.stringify(t)), tasks.map((t) => t.dueAt), at],
  );
  return new Set(rows.map((row) => row.task_id));
}

/** Stores tasks that are new together with their answers. The same as `rememberTasks` and `answerTasks` in one step. */
export async function rememberAnswered(work: Work, given: readonly Answered[]): Promise<void> {
  if (given.length === 0) return;
  const rows = await work.tx.query<{ task_id: string }>(
    `INSERT INTO tasks (task_id, task, received_at, due_at, answered_at, outcome, reason)
     SELECT task_id, task, $6, due_at, $6, outcome, reason
     FROM unnest($1::uuid[], $2::jsonb[], $3::timestamptz[], $4::text[], $5::text[]) AS n(task_id, task, due_at, outcome, reason)
     ORDER BY task_id ON CONFLICT DO NOTHING RETURNING task_id`,
    [
      given.map(({ task }) => task.taskId),
      given.map(({ task }) => JSON.stringify(task)),
      given.map(({ task }) => task.dueAt),
      given.map(({ answer }) => answer.settled.outcome),
      given.map(({ answer }) => answer.settled.reason),
      work.at,
    ],
  );
  queueAnswers(work, given, rows);
}

/** Tasks by id, as they were assigned. */
export async function tasksById(tx: Tx, taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskAssigned>> {
  const rows = await tx.query<{ task_id: string; task: TaskAssigned }>(
    'SELECT task_id, task FROM tasks WHERE task_id = ANY($1)',
    [taskIds],
  );
  return new Map(rows.map((row) => [row.task_id, row.task]));
}

/** A task with its answer. */
interface Answered {
  readonly cause: Cause;
  readonly task: TaskAssigned;
  readonly answer: Answer;
}

/** Stores proposals and queues their events. The agent's topic is `actions.proposed.<agent>.v1`. */
export function propose(
  work: Work,
  given: readonly { readonly cause: Cause; readonly proposal: ActionProposed }[],
): void {
  if (given.length === 0) return;
  work.tx.write(
    `INSERT INTO proposals (proposal_id, task_id, kind, action, planner, state, proposed_at, changed_at)
     SELECT proposal_id, task_id, kind, action, planner, 'proposed', $6, $6
     FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::jsonb[]) AS n(proposal_id, task_id, kind, action, planner)`,
    [
      given.map(({ proposal }) => proposal.proposalId),
      given.map(({ proposal }) => proposal.taskId),
      given.map(({ proposal }) => proposal.action.kind),
      given.map(({ proposal }) => JSON.stringify(proposal.action)),
      given.map(({ proposal }) => JSON.stringify(proposal.planner)),
      work.at,
    ],
  );
  for (const { cause, proposal } of given) {
    work.emit(cause, topics.actionsProposed(proposal.agent), {
      key: actionKey(proposal.action),
      data: proposal,
      subject: proposal.proposalId,
    });
  }
}

/** Answers tasks that have no answer yet: their proposals, then the settlement of each. A second answer is dropped. */
export async function answerTasks(work: Work, given: readonly Answered[]): Promise<void> {
  if (given.length === 0) return;
  const rows = await work.tx.query<{ task_id: string }>(
    `UPDATE tasks t SET answered_at = $4, outcome = n.outcome, reason = n.reason
     FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n(task_id, outcome, reason)
     WHERE t.task_id = ANY($1) AND t.task_id = n.task_id AND t.answered_at IS NULL RETURNING t.task_id`,
    [
      given.map(({ task }) => task.taskId),
      given.map(({ answer }) => answer.settled.outcome),
      given.map(({ answer }) => answer.settled.reason),
      work.at,
    ],
  );
  queueAnswers(work, given, rows);
}

/** Queues the answers of the tasks that `rows` names. */
function queueAnswers(work: Work, given: readonly Answered[], rows: readonly { task_id: string }[]): void {
  const open = new Set(rows.map((row) => row.task_id));
  const first = given.filter(({ task }) => open.has(task.taskId));
  propose(
    work,
    first.flatMap(({ cause, answer }) => answer.proposals.map((proposal) => ({ cause, proposal }))),
  );
  for (const { cause, task, answer } of first) {
    work.emit(cause, topics.tasksSettled(task.agent), {
      key: task.accountId ?? task.adAccountId ?? task.taskId,
      data: answer.settled,
      subject: task.taskId,
    });
  }
}

/** Stores a plan under its task's id, so that a repeat does not ask a model twice. The first plan stands. */
export function storePlan(tx: Tx, taskId: string, plan: ClampedPlan, from: PlannedFrom, at: string): void {
  tx.write(
    'INSERT INTO plans (task_id, plan, planned_from, planned_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    [taskId, JSON.stringify(plan), JSON.stringify(from), at],
  );
}

/** The plan that was stored for a task. */
export async function storedPlan(
  tx: Tx,
  taskId: string,
): Promise<{ readonly plan: ClampedPlan; readonly from: PlannedFrom } | undefined> {
  const [row] = await tx.query<{ plan: ClampedPlan; planned_from: PlannedFrom }>(
    'SELECT plan, planned_from FROM plans WHERE task_id = $1',
    [taskId],
  );
  return row && { plan: row.plan, from: row.planned_from };
}

/** Stores refusals and returns those of the agent's own proposals. A settlement that was read first is not overwritten. */
export async function noteRefusals(
  tx: Tx,
  refusals: readonly ActionRefused[],
  at: string,
): Promise<ReadonlyMap<string, RememberedProposal>> {
  const rows = await tx.query<ProposalRow>(
    `UPDATE proposals p SET state = 'refused', outcome = n.outcome, changed_at = $3
     FROM unnest($1::uuid[], $2::jsonb[]) AS n(proposal_id, outcome)
     WHERE p.proposal_id = ANY($1) AND p.proposal_id = n.proposal_id AND p.state IN ('proposed', 'unsettled') RETURNING ${remembered}`,
    [refusals.map((r) => r.proposalId), refusals.map((r) => JSON.stringify(refusalOutcome(r))), at],
  );
  const noted = byId(rows);
  const others = refusals.map((r) => r.proposalId).filter((id) => !noted.has(id));
  return new Map([...noted, ...(await proposalsById(tx, others))]);
}

/**
 * Ends the proposals about which nothing was received, although a person's time, the send time and the permit's life are over.
 * Returns them. A later settlement still counts.
 */
export async function endUnsettled(tx: Tx, at: string): Promise<readonly RememberedProposal[]> {
  const before = (ms: number): string => new Date(Date.parse(at) - ms).toISOString();
  const rows = await tx.query<ProposalRow>(
    `SELECT ${remembered} FROM proposals p WHERE p.state = 'proposed' AND p.proposed_at < $1
     ORDER BY p.proposal_id FOR UPDATE`,
    [before(longestMs)],
  );
  const ended = rows.filter(({ kind, action }) => {
    const sent = kindSpec(kind)?.notBefore(action.payload as never);
    return sent === undefined || Date.parse(sent) < Date.parse(before(permitMs));
  });
  if (ended.length === 0) return [];
  tx.write(`UPDATE proposals SET state = 'unsettled', outcome = $2, changed_at = $3 WHERE proposal_id = ANY($1)`, [
    ended.map((row) => row.proposal_id),
    JSON.stringify({ detail: neverSettled }),
    at,
  ]);
  return [...byId(ended).values()];
}

/** Why a proposal is `unsettled`. */
export const neverSettled = 'it was neither refused nor settled in the time in which it must have ended';
const slackMs = 3_600_000;
const permitMs = longest.permitSeconds * 1000 + slackMs;
const longestMs = longest.reviewMinutes * 60_000 + permitMs;

/**
 * Stores the settlements of the agent's own proposals that count, and returns them; see `afterSettled`. The caller has locked their
 * rows.
 */
export function noteSettlements<S extends { readonly settled: ActionSettled }>(
  tx: Tx,
  given: readonly S[],
  proposals: ReadonlyMap<string, RememberedProposal>,
  at: string,
): readonly S[] {
  const last = new Map<string, { readonly state: ProposalState; readonly settled: ActionSettled }>();
  // A batch may contain two settlements of one proposal (unresolved, then executed). Each is compared with the one before it.
  const counted = given.filter(({ settled }) => {
    const before = last.get(settled.proposalId)?.state ?? proposals.get(settled.proposalId)?.state;
    const state = before && afterSettled(before, settled.outcome);
    if (state) last.set(settled.proposalId, { state, settled });
    return state !== undefined;
  });
  if (last.size === 0) return counted;
  tx.write(
    `UPDATE proposals p SET state = n.state, outcome = n.outcome, changed_at = $4
     FROM unnest($1::uuid[], $2::text[], $3::jsonb[]) AS n(proposal_id, state, outcome)
     WHERE p.proposal_id = ANY($1) AND p.proposal_id = n.proposal_id`,
    [
      [...last.keys()],
      [...last.values()].map(({ state }) => state),
      [...last.values()].map(({ settled }) => JSON.stringify(settled)),
      at,
    ],
  );
  return counted;
}

/**
 * Stores the permit of each of these proposals, unless its approval was read before. The caller has locked their rows. Returns the
 * proposals as they are now: an outcome that was accepted before approvals were read is not an end if it does not belong to this
 * permit.
 */
export function notePermits(
  tx: Tx,
  approvals: readonly ActionApproved[],
  proposals: ReadonlyMap<string, RememberedProposal>,
  at: string,
): ReadonlyMap<string, RememberedProposal> {
  const first = new Map<string, RememberedProposal>();
  const again = new Set<string>();
  for (const { proposalId, permitId, executor, digest } of approvals) {
    const proposal = proposals.get(proposalId);
    if (!proposal || proposal.permit?.approved || first.has(proposalId)) continue;
    const permit = { permitId, executor, digest, approved: true };
    if (proposal.permit && notOf(permit, proposal.permit)) again.add(proposalId);
    first.set(proposalId, { ...proposal, permit, ...(again.has(proposalId) && { state: 'proposed' }) });
  }
  if (first.size === 0) return first;
  const noted = [...first.values()];
  tx.write(
    `UPDATE proposals p SET permit_id = n.permit_id, permit_executor = n.executor, permit_digest = n.digest, approved = true
     FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS n(proposal_id, permit_id, executor, digest)
     WHERE p.proposal_id = ANY($1) AND p.proposal_id = n.proposal_id`,
    [
      noted.map(({ proposalId }) => proposalId),
      noted.map(({ permit }) => permit?.permitId ?? null),
      noted.map(({ permit }) => permit?.executor ?? null),
      noted.map(({ permit }) => permit?.digest ?? null),
    ],
  );
  if (again.size > 0)
    tx.write(`UPDATE proposals SET state = 'proposed', outcome = NULL, changed_at = $2 WHERE proposal_id = ANY($1)`, [
      [...again],
      at,
    ]);
  return first;
}

/**
 * Stores settlements of proposals whose approval is not read yet, one for each executor and proposal. An executor has one permit
 * for a proposal, so if it names several, it replaces only its own entry. The caller has locked the rows of the proposals.
 */
export function storeSettlements(tx: Tx, given: readonly ActionSettled[], at: string): void {
  for (const rows of roundsBy(given, (s) => `${s.proposalId} ${s.executor}`))
    tx.write(
      `INSERT INTO settlements (proposal_id, executor, permit_id, digest, settled, kept_at)
       SELECT proposal_id, executor, permit_id, digest, settled, $6
       FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[]) AS n(proposal_id, executor, permit_id, digest, settled)
       ORDER BY 1, 2
       ON CONFLICT (proposal_id, executor) DO UPDATE SET permit_id = excluded.permit_id, digest = excluded.digest,
         settled = excluded.settled, kept_at = excluded.kept_at
       WHERE (settlements.permit_id, settlements.digest) <> (excluded.permit_id, excluded.digest)
         OR (settlements.settled->>'outcome', excluded.settled->>'outcome') IN (${takesPlaceRows})`,
      [
        rows.map((s) => s.proposalId),
        rows.map((s) => s.executor),
        rows.map((s) => s.permitId),
        rows.map((s) => s.digest),
        rows.map((s) => JSON.stringify(s)),
        at,
      ],
    );
}

/** Takes out the stored settlements of these proposals, whose approval is now read. Afterwards none of them waits. */
export async function takeSettlements(tx: Tx, proposalIds: readonly string[]): Promise<readonly ActionSettled[]> {
  if (proposalIds.length === 0) return [];
  const rows = await tx.query<{ settled: ActionSettled }>(
    'DELETE FROM settlements WHERE proposal_id = ANY($1) RETURNING settled',
    [proposalIds],
  );
  return rows.map(({ settled }) => settled);
}

/** Deletes settlements whose approval can no longer come: the broker does not retain an approval longer than this. */
export function forgetSettlements(tx: Tx, at: string): void {
  tx.write('DELETE FROM settlements WHERE kept_at < $1', [
    new Date(Date.parse(at) - logRetentionDays * 86_400_000).toISOString(),
  ]);
}

/** The agent's own proposals among these, locked in the order of their ids. */
export async function lockProposals(
  tx: Tx,
  proposalIds: readonly string[],
): Promise<ReadonlyMap<string, RememberedProposal>> {
  if (proposalIds.length === 0) return new Map();
  return byId(
    await tx.query<ProposalRow>(
      `SELECT ${remembered} FROM proposals p WHERE p.proposal_id = ANY($1) ORDER BY p.proposal_id FOR UPDATE`,
      [proposalIds],
    ),
  );
}

/** The agent's own proposals among these. */
export async function proposalsById(
  tx: Tx,
  proposalIds: readonly string[],
): Promise<ReadonlyMap<string, RememberedProposal>> {
  if (proposalIds.length === 0) return new Map();
  return byId(
    await tx.query<ProposalRow>(`SELECT ${remembered} FROM proposals p WHERE p.proposal_id = ANY($1)`, [proposalIds]),
  );
}

interface ProposalRow {
  readonly proposal_id: string;
  readonly task_id: string;
  readonly kind: string;
  readonly action: Action;
  readonly state: ProposalState;
  readonly proposed_at: Date;
  readonly permit_id: string | null;
  readonly permit_executor: string;
  readonly permit_digest: string;
  readonly approved: boolean;
}
const remembered = `p.proposal_id, p.task_id, p.kind, p.action, p.state, p.proposed_at,
  p.permit_id, p.permit_executor, p.permit_digest, p.approved`;

const byId = (rows: readonly ProposalRow[]): ReadonlyMap<string, RememberedProposal> =>
  new Map(
    rows.map((row) => [
      row.proposal_id,
      {
        proposalId: row.proposal_id,
        taskId: row.task_id,
        kind: row.kind,
        action: row.action,
        state: row.state,
        proposedAt: row.proposed_at.toISOString(),
        permit:
          row.permit_id === null
            ? undefined
            : {
                permitId: row.permit_id,
                executor: row.permit_executor,
                digest: row.permit_digest,
                approved: row.approved,
              },
      },
    ]),
  );

/**
 * Stores the actions with which people replaced the agent's own actions, by their action id. Waits for any transaction that is
 * storing the outcome of these proposals: of an edit and its settlement, the later one must see the other.
 */
export function storeEdits(
  tx: Tx,
  edits: readonly { readonly proposalId: string; readonly action: Action; readonly at: string }[],
): void {
  tx.write(
    `INSERT INTO edits (action_id, proposal_id, action, decided_at)
     SELECT n.action_id, n.proposal_id, n.action, n.decided_at
     FROM unnest($1::uuid[], $2::uuid[], $3::jsonb[], $4::timestamptz[]) AS n(action_id, proposal_id, action, decided_at)
     JOIN (SELECT proposal_id FROM proposals WHERE proposal_id = ANY($2) ORDER BY proposal_id FOR UPDATE) p
       ON p.proposal_id = n.proposal_id ON CONFLICT DO NOTHING`,
    [
      edits.map((e) => e.action.actionId),
      edits.map((e) => e.proposalId),
      edits.map((e) => JSON.stringify(e.action)),
      edits.map((e) => e.at),
    ],
  );
}

/** Edited actions by their id. */
export async function editsById(tx: Tx, actionIds: readonly string[]): Promise<ReadonlyMap<string, Action>> {
  if (actionIds.length === 0) return new Map();
  const rows = await tx.query<{ action_id: string; action: Action }>(
    'SELECT action_id, action FROM edits WHERE action_id = ANY($1)',
    [actionIds],
  );
  return new Map(rows.map((row) => [row.action_id, row.action]));
}

/** Settlements that counted before the edit of their action was read. */
export async function settlementsOf(tx: Tx, proposalIds: readonly string[]): Promise<readonly ActionSettled[]> {
  const rows = await tx.query<{ outcome: ActionSettled }>(
    `SELECT outcome FROM proposals 
     WHERE proposal_id = ANY($1) AND state IN ('executed', 'failed', 'not-run', 'expired', 'unresolved', 'undone')`,
    [proposalIds],
  );
  return rows.map((row) => row.outcome);
}

const refusalOutcome = ({ verdict, shadowOutcome, supersededBy }: ActionRefused) => ({
  reasons: verdict.reasons.filter((r) => r.outcome !== 'pass'),
  ...(shadowOutcome !== undefined && { shadowOutcome }),
  ...(supersededBy !== undefined && { supersededBy }),
});
