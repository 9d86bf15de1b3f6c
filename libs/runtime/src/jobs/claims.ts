import type { Cause, JobKind } from '../api/runtime.js';
import type { Database } from '../database/database.js';
import type { OutboxMessage } from '../outbox/outgoing.js';

/** A claimed row. */
export interface JobRow {
  readonly kind: string;
  readonly id: string;
  readonly due_at: Date;
  readonly claims: number;
  readonly payload: unknown;
  readonly cause: Cause;
  readonly result_at: Date | null;
  readonly messages: OutboxMessage[] | null;
}

/** What one look found of a kind. */
export interface Found {
  /** The rows that are claimed now, the first due first. */
  readonly rows: readonly JobRow[];
  /** In how many milliseconds something more of this kind may be claimed, as far as this look knows; Infinity: nothing is known. */
  readonly nextMs: number;
}

/** The row of a kind and one of its claimed rows; of a kind without any, the columns of a claimed row are null. */
type Answer = { [Name in keyof JobRow]: JobRow[Name] } & {
  readonly of: string;
  readonly next_due: Date | null;
  readonly lease_ms: number | null;
  readonly id: string | null;
};

/*
 * One statement for all kinds. Each kind has a scan and a limit of its own, so the backlog of one kind takes nothing from another.
 * `ctid = ANY` is a scan by place whatever the plan expects: a join could read the whole table, that has a row for every deadline.
 * The leases of others are read only if `$5` asks and the kind has no backlog: then all its due rows are leased, which are few.
 */
const claimText = `
  WITH wanted AS MATERIALIZED (
    SELECT kind, lease_ms, most FROM unnest($1::text[], $2::int[], $3::int[]) AS w(kind, lease_ms, most)
  ), claimed AS (
    UPDATE jobs j SET claims = claims + 1,
      lease_until = clock_timestamp() + (SELECT w.lease_ms FROM wanted w WHERE w.kind = j.kind) * interval '1 millisecond'
    WHERE j.ctid = ANY (ARRAY(
      SELECT due.ctid FROM wanted w CROSS JOIN LATERAL (
        SELECT ctid FROM jobs WHERE kind = w.kind AND due_at <= $4 AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY due_at LIMIT w.most FOR UPDATE SKIP LOCKED
      ) due
    ))
    RETURNING j.kind, j.id, j.due_at, j.claims, j.payload, j.cause, j.result_at, j.messages
  ), known AS MATERIALIZED (
    SELECT w.kind AS of,
      (SELECT min(n.due_at) FROM jobs n WHERE n.kind = w.kind AND n.due_at > $4) AS next_due,
      CASE WHEN $5::boolean AND (SELECT count(*) FROM claimed c WHERE c.kind = w.kind) < w.most THEN
        (SELECT (extract(epoch FROM min(l.lease_until) - clock_timestamp()) * 1000)::float8 FROM jobs l
         WHERE l.kind = w.kind AND l.due_at <= $4 AND l.lease_until >= clock_timestamp())
      END AS lease_ms
    FROM wanted w
  )
  SELECT k.of, k.next_due, k.lease_ms, c.kind, c.id, c.due_at, c.claims, c.payload, c.cause, c.result_at, c.messages
  FROM known k LEFT JOIN claimed c ON c.kind = k.of ORDER BY c.due_at, c.id`;

/**
 * Claims due rows of these kinds under a lease, of each kind at most its `batch`, and tells by kind what it found. `leases`: also
 * tells when the lease of a row ends that somebody else holds.
 */
export async function claim(
  db: Pick<Database, 'read'>,
  kinds: readonly JobKind<never>[],
  { now, leaseMs, leases }: { readonly now: string; readonly leaseMs: number; readonly leases: boolean },
): Promise<ReadonlyMap<string, Found>> {
  const answers = await db.read<Answer>(claimText, [
    kinds.map((kind) => kind.kind.name),
    kinds.map((kind) => Math.min(kind.leaseMs, leaseMs)),
    kinds.map((kind) => kind.batch),
    now,
    leases,
  ]);
  return new Map(
    kinds.map((kind) => {
      const answered = answers.filter((answer) => answer.of === kind.kind.name);
      const rows = answered.filter((answer) => answer.id !== null);
      const { next_due: due = null, lease_ms: lease = null } = answered[0] ?? {};
      // A millisecond more: the database counts finer.
      const dueMs = due === null ? Infinity : due.getTime() - Date.parse(now) + 1;
      return [kind.kind.name, { rows, nextMs: Math.min(dueMs, lease === null ? Infinity : Math.ceil(lease) + 1) }];
    }),
  );
}
