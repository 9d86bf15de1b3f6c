import { storableJson, takesPlaceRows } from '@countersign/contracts';
import { cutBytes, packed, type Tx } from '@countersign/runtime';
import type { FunnelStep } from '../core/now-changes.js';
import type { Changes } from '../core/project.js';
import { storeGaps } from './gaps.repository.js';
import { storeInspections } from './inspections.repository.js';
import { writeApprovals, writeSteps, writeTasks } from './now.writer.js';
import { storePasses } from './passes.repository.js';
import { writePersonActions } from './people.writer.js';
import { storeCheckpoints } from './record.repository.js';
import { storeReveals } from './reveals.repository.js';
import { insert, lastBy, orderedRounds } from './rows.js';
import { releaseAccounts, signOut } from './sessions.repository.js';
import { writeSignals } from './sources.writer.js';
import { lockStories, settleStories, writeStories } from './stories.writer.js';

type Settlement = Changes['settlements'][number];

/**
 * Writes the changes of a batch: one statement per table, however long the batch is. Tables come in a fixed order and keys are sorted, so
 * two batches never deadlock. The counts come last, because all batches add to the same few rows and wait for the batch that locks them.
 * `at` is the time of writing.
 */
export async function writeProjection(tx: Tx, changes: Changes, at: string): Promise<void> {
  insert(tx, lastBy(changes.escalations, 'actionId'), {
    sql: `INSERT INTO escalations (action_id, subject_kind, subject_id, run_id, action_key, digest, correlation_id, card, deadline_at, escalated_at, traceparent)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::json[], $9::timestamptz[], $10::timestamptz[], $11::text[])
          ON CONFLICT (action_id) DO UPDATE SET digest = excluded.digest, card = excluded.card, deadline_at = excluded.deadline_at,
            escalated_at = excluded.escalated_at WHERE escalations.escalated_at <= excluded.escalated_at`,
    columns: [
      (e) => e.actionId,
      (e) => e.subject.kind,
      (e) => e.subject.id,
      (e) => e.runId,
      (e) => e.key,
      (e) => e.digest,
      (e) => e.correlationId,
      (e) => storableJson(e.card),
      (e) => e.deadline,
      (e) => e.at,
      (e) => e.traceparent ?? null,
    ],
  });
  insert(tx, lastBy(changes.verdicts, 'actionId'), {
    sql: `INSERT INTO verdicts (action_id, outcome, review_id, superseded_by, reasons, not_before, executor, decided_at, stopped)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::jsonb[], $6::timestamptz[], $7::text[], $8::timestamptz[], $9::boolean[])
          ON CONFLICT (action_id) DO UPDATE SET outcome = excluded.outcome, review_id = excluded.review_id, superseded_by = excluded.superseded_by,
            reasons = excluded.reasons, not_before = excluded.not_before, executor = excluded.executor, decided_at = excluded.decided_at,
            stopped = excluded.stopped
          WHERE verdicts.decided_at <= excluded.decided_at`,
    columns: [
      (v) => v.actionId,
      (v) => v.outcome,
      (v) => v.reviewId,
      (v) => v.supersededBy,
      (v) => JSON.stringify(v.reasons),
      (v) => v.notBefore,
      (v) => v.executor,
      (v) => v.at,
      (v) => v.stopped,
    ],
  });
  insert(tx, lastBy(changes.permits, 'actionId'), {
    sql: `INSERT INTO permits (action_id, permit_id, executor, digest)
          SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
          ON CONFLICT DO NOTHING`,
    columns: [(p) => p.actionId, (p) => p.permitId, (p) => p.executor, (p) => p.digest],
  });
  writeApprovals(tx, changes.now.approvals);
  // Their rows are locked here, in the same place as in every other batch, and not later, when they are found to be approved.
  if (changes.permits.length > 0)
    tx.write('SELECT FROM settlements WHERE action_id = ANY($1) ORDER BY action_id, executor FOR UPDATE', [
      changes.permits.map((p) => p.actionId),
    ]);
  // A permit has one end. A later report of its executor changes it only if the contract allows that.
  const settlements = {
    sql: `INSERT INTO settlements (action_id, outcome, executor, detail, external_reference, settled_at, permit_id, digest, kept_at, spent_minor, code, uncounted)
          SELECT n.*, ARRAY[n.outcome]
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::uuid[], $8::text[], $9::timestamptz[], $10::bigint[], $11::text[])
            AS n(action_id, outcome, executor, detail, external_reference, settled_at, permit_id, digest, kept_at, spent_minor, code)
          ON CONFLICT (action_id, executor) DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail, code = excluded.code,
            external_reference = excluded.external_reference, settled_at = excluded.settled_at, permit_id = excluded.permit_id,
            digest = excluded.digest, spent_minor = excluded.spent_minor,
            uncounted = CASE WHEN ${samePermit} THEN settlements.uncounted || excluded.uncounted ELSE excluded.uncounted END
          WHERE CASE WHEN ${samePermit} THEN (settlements.outcome, excluded.outcome) IN (${takesPlaceRows}) ELSE NOT settlements.approved END`,
    columns: [
      (s: Settlement) => s.actionId,
      (s: Settlement) => s.outcome,
      (s: Settlement) => s.executor,
      (s: Settlement) => s.detail,
      (s: Settlement) => s.externalReference,
      (s: Settlement) => s.at,
      (s: Settlement) => s.permitId,
      (s: Settlement) => s.digest,
      () => at,
      (s: Settlement) => s.spentMinor,
      (s: Settlement) => s.code,
    ],
  };
  for (const round of orderedRounds(changes.settlements, (s) => `${s.actionId} ${s.executor}`))
    insert(tx, round, settlements);
  // Any executor may write any permit's id. So no report replaces another executor's, and the approval shows which one counts.
  const [unresolved = []] = orderedRounds(changes.unresolved, (u) => `${u.permitId} ${u.executor} ${u.digest}`);
  insert(tx, unresolved, {
    sql: `INSERT INTO unresolved_permits (permit_id, action_id, proposal_id, digest, executor, connector, action_key, correlation_id, traceparent, detail, at, kept_at)
          SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[])
          ON CONFLICT DO NOTHING`,
    columns: [
      (u) => u.permitId,
      (u) => u.actionId,
      (u) => u.proposalId,
      (u) => u.digest,
      (u) => u.executor,
      (u) => u.connector,
      (u) => u.key,
      (u) => u.correlationId,
      (u) => u.traceparent ?? null,
      (u) => u.detail,
      (u) => u.at,
      () => at,
    ],
  });
  // Normally the row exists already, as for a review.
  insert(tx, lastBy(changes.decisions, 'permitId'), {
    sql: `INSERT INTO settlement_decisions (permit_id, decision_id, outcome, by_person, note, decided_at)
          SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
          ON CONFLICT DO NOTHING`,
    columns: [(d) => d.permitId, (d) => d.decisionId, (d) => d.outcome, (d) => d.by, (d) => d.note, (d) => d.at],
  });
  insert(tx, lastBy(changes.assignedRuns, 'runId'), {
    sql: `INSERT INTO assigned_runs (run_id, assigned_at) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
          ON CONFLICT DO NOTHING`,
    columns: [(r) => r.runId, (r) => r.at],
  });
  writeTasks(tx, changes.now, at);
  // Normally the row exists already: the act that published the event wrote it. After a restore from the topics it does not.
  insert(tx, lastBy(changes.reviews, 'reviewId'), {
    sql: `INSERT INTO reviews (review_id, subject_kind, subject_id, digest, decision, by_person, note, category, decided_at)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
          ON CONFLICT DO NOTHING`,
    columns: [
      (r) => r.reviewId,
      (r) => r.subject.kind,
      (r) => r.subject.id,
      (r) => r.digest,
      (r) => r.decision,
      (r) => r.by,
      (r) => r.note ?? null,
      (r) => r.category ?? null,
      (r) => r.at,
    ],
  });
  insert(tx, lastBy(changes.setAside, 'reviewId'), {
    sql: `INSERT INTO set_asides (review_id, reason, at) SELECT * FROM unnest($1::uuid[], $2::jsonb[], $3::timestamptz[])
          ON CONFLICT DO NOTHING`,
    columns: [(s) => s.reviewId, (s) => JSON.stringify(s.reason), (s) => s.at],
  });
  // A checkpoint has one end.
  insert(tx, lastBy(changes.withheld, 'checkpointId'), {
    sql: `INSERT INTO withheld_tasks (checkpoint_id, outcome, review_id, by_person, reason, withheld_at)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[], $6::timestamptz[])
          ON CONFLICT DO NOTHING`,
    columns: [
      (w) => w.checkpointId,
      (w) => w.outcome,
      (w) => w.review?.reviewId ?? null,
      (w) => w.review?.by ?? null,
      (w) => JSON.stringify(w.reason),
      (w) => w.at,
    ],
  });
  insert(tx, lastBy(changes.failures, 'deadLetterId'), {
    sql: `INSERT INTO failures (dead_letter_id, service, topic, partition, "offset", type, fault, attempts, at, job)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::jsonb[], $8::int[], $9::timestamptz[], $10::jsonb[])
          ON CONFLICT DO NOTHING`,
    columns: [
      (f) => f.deadLetterId,
      (f) => f.service,
      (f) => f.topic,
      (f) => f.partition,
      (f) => f.offset,
      (f) => f.type ?? null,
      (f) => JSON.stringify(f.fault),
      (f) => f.attempts,
      (f) => f.at,
      (f) => (f.job ? JSON.stringify(f.job) : null),
    ],
  });
  // Normally the row exists already, as for a review. Only the last order is shown.
  insert(tx, lastBy(changes.replays, 'deadLetterId'), {
    sql: `INSERT INTO replays AS r (dead_letter_id, by_person, replayed_at, note)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[])
          ON CONFLICT (dead_letter_id) DO UPDATE SET by_person = excluded.by_person, replayed_at = excluded.replayed_at, note = excluded.note
          WHERE r.replayed_at <= excluded.replayed_at`,
    columns: [(r) => r.deadLetterId, (r) => r.by, (r) => r.at, (r) => r.note ?? null],
  });
  // A success stays a success. Of two failures, the one of the later order is shown.
  insert(tx, lastBy(changes.replayEnds, 'deadLetterId'), {
    sql: `INSERT INTO replay_ends AS e (dead_letter_id, ordered_at, outcome, fault, attempts, at)
          SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::jsonb[], $5::int[], $6::timestamptz[])
          ON CONFLICT (dead_letter_id) DO UPDATE SET ordered_at = excluded.ordered_at, outcome = excluded.outcome, fault = excluded.fault,
            attempts = excluded.attempts, at = excluded.at
          WHERE e.outcome = 'failed' AND e.ordered_at <= excluded.ordered_at`,
    columns: [
      (e) => e.deadLetterId,
      (e) => e.orderedAt,
      (e) => e.outcome,
      (e) => (e.fault ? JSON.stringify(e.fault) : null),
      (e) => e.attempts,
      (e) => e.at,
    ],
  });
  writeSignals(tx, changes);
  writePersonActions(tx, changes.personActions);
  storeGaps(tx, changes);
  signOut(tx, changes.signedOut);
  releaseAccounts(
    tx,
    changes.signedOut.filter(({ newAccount }) => newAccount),
  );
  storeReveals(tx, changes.revealRequests, changes.revealAnswers);
  storePasses(tx, changes.recordPasses);
  storeInspections(tx, changes.inspectionsStarted, changes.inspectionsEnded);
  // A reader with several instances may confirm an older version after a newer one. A control is stored here before any reader can read
  // it, so a confirmation of an unknown control is invented.
  insert(tx, latestOf(changes.confirmations), {
    sql: `INSERT INTO control_confirmations (scope, reader, version, digest)
          SELECT said.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS said(scope, reader, version, digest)
          WHERE EXISTS (SELECT FROM published_state o WHERE o.topic = 'controls.v1' AND o.key = said.scope AND o.data IS NOT NULL)
          ON CONFLICT (scope, reader) DO UPDATE SET version = excluded.version, digest = excluded.digest
          WHERE control_confirmations.version <= excluded.version`,
    columns: [(c) => c.scope, (c) => c.reader, (c) => c.version, (c) => c.digest],
  });
  storeCheckpoints(tx, changes.checkpoints, at);
  writeStories(tx, changes.stories);
  lockStories(tx, changes.settlements);
  const { counts, ends } = await withApproved(tx, changes);
  writeActivities(tx, { activities: changes.activities, counts });
  writeSteps(tx, [...changes.now.steps, ...ends], changes.activities, at);
  settleStories(tx, [...changes.settlements, ...changes.permits]);
}

/** Whether a settlement belongs to the permit of its row. A row from before permits were stored accepts any. */
const samePermit =
  '(coalesce(settlements.permit_id, excluded.permit_id) = excluded.permit_id AND coalesce(settlements.digest, excluded.digest) = excluded.digest)';

/**
 * The counts, with the settlements that agree with their approval since this batch, which may have brought either of the two. The other
 * one may be in a batch that is being written at this moment. So both batches first lock the same row of the counts, and the later one
 * sees what the other one wrote.
 */
async function withApproved(
  tx: Tx,
  { counts, settlements, permits }: Changes,
): Promise<{ counts: Changes['counts']; ends: FunnelStep[] }> {
  const touched = [...settlements, ...permits];
  if (touched.length === 0) return { counts, ends: [] };
  const actionIds = touched.map((o) => o.actionId);
  tx.write(
    `INSERT INTO counts AS c (stage, label, n) VALUES ('settled', 'executed', 0) ON CONFLICT (stage, label) DO UPDATE SET n = c.n`,
  );
  const rows = await tx.query<{ uncounted: string[]; settled_at: Date }>(
    `UPDATE settlements s SET approved = true, uncounted = '{}'
     FROM (
       SELECT o.action_id, o.executor, o.uncounted FROM settlements o
       LEFT JOIN permits p ON p.action_id = ANY($1) AND p.action_id = o.action_id
       LEFT JOIN verdicts v ON v.action_id = ANY($1) AND v.action_id = o.action_id AND p.action_id IS NULL
       WHERE o.action_id = ANY($1) AND o.executor = coalesce(p.executor, v.executor)
         AND (p.action_id IS NULL OR (p.permit_id = o.permit_id AND p.digest = o.digest)) AND (NOT o.approved OR o.uncounted <> '{}')
       ORDER BY o.action_id, o.executor FOR UPDATE OF o) n
     WHERE s.action_id = ANY($1) AND s.action_id = n.action_id AND s.executor = n.executor
     RETURNING n.uncounted, s.settled_at`,
    [actionIds],
  );
  tx.write(
    `UPDATE unresolved_permits u SET approved = true FROM settlements s
     WHERE u.permit_id = ANY($1) AND NOT u.approved AND s.action_id = ANY($2) AND s.action_id = u.action_id
       AND s.executor = u.executor AND s.permit_id = u.permit_id AND s.digest = u.digest AND s.approved`,
    [touched.map((o) => o.permitId), actionIds],
  );
  const all = new Map(counts);
  const ends = rows.flatMap(({ uncounted, settled_at }) =>
    uncounted.map((label) => ({ stage: 'settlements' as const, label, at: settled_at.toISOString() })),
  );
  for (const { label } of ends) {
    const name = `settled ${label}`;
    all.set(name, { stage: 'settled', label, n: (all.get(name)?.n ?? 0) + 1 });
  }
  return { counts: all, ends };
}

/** The highest version of each scope and reader; of two equal ones, the last. */
function latestOf(all: Changes['confirmations']): Changes['confirmations'] {
  const latest = new Map<string, Changes['confirmations'][number]>();
  for (const confirmation of all) {
    const name = `${confirmation.scope}\u0000${confirmation.reader}`;
    if ((latest.get(name)?.version ?? 0) <= confirmation.version) latest.set(name, confirmation);
  }
  return [...latest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, confirmation]) => confirmation);
}

/** Writes a line for every event, and its count. It is one statement; its first part is written last. */
function writeActivities(tx: Tx, { activities, counts }: Pick<Changes, 'activities' | 'counts'>): void {
  if (activities.length === 0) return;
  const rows = [...counts.values()];
  const bytes = packed(activities.map((a) => a.bytes));
  tx.write(
    `WITH counted AS (
       INSERT INTO counts AS c (stage, label, n)
       SELECT stage, label, n FROM unnest($8::text[], $9::text[], $10::bigint[]) AS new(stage, label, n) ORDER BY stage, label
       ON CONFLICT (stage, label) DO UPDATE SET n = c.n + excluded.n)
     INSERT INTO activities (correlation_id, topic, event_id, type, subject_id, detail, at, partition, "offset", bytes)
     SELECT chain, topic, event_id, type, subject_id, detail, at, partition, "offset", ${cutBytes('$13', 'start', 'length')}
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $11::int[], $12::bigint[], $14::int[], $15::int[])
       AS new(chain, topic, event_id, type, subject_id, detail, at, partition, "offset", start, length)`,
    [
      activities.map((a) => a.correlationId),
      activities.map((a) => a.topic),
      activities.map((a) => a.eventId),
      activities.map((a) => a.type),
      activities.map((a) => a.subjectId),
      activities.map((a) => a.detail),
      activities.map((a) => a.at),
      rows.map((r) => r.stage),
      rows.map((r) => r.label),
      rows.map((r) => r.n),
      activities.map((a) => a.partition),
      activities.map((a) => a.offset),
      bytes.bytes,
      bytes.starts,
      bytes.lengths,
    ],
  );
}
