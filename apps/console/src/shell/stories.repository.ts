import type { ContactProfile } from '@countersign/contracts';
import { Inject, Injectable } from '@nestjs/common';
import type { Outcome } from '../core/stories.js';
import type { StepRow } from '../core/story-steps.js';
import { Store } from './console.repository.js';

/** A person whom a story concerns, without their name. */
export interface PersonNamed {
  readonly contactId: string;
  readonly seniority: ContactProfile['seniority'];
  readonly jobFunction: string | null;
  readonly accountName: string | null;
}

export interface StoryRow {
  readonly id: string;
  readonly sentence: string;
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly agent: string;
  readonly play: { readonly id: string; readonly title: string };
  readonly kind: string | null;
  readonly account: { readonly id: string; readonly name: string | null } | null;
  readonly people: readonly PersonNamed[];
  readonly correlationId: string;
  readonly startedAt: string;
  readonly changedAt: string;
}

/** A story, with the ids that find its steps. */
export interface FoundStory {
  readonly story: StoryRow;
  readonly taskId: string;
  readonly runId: string;
}

export interface Cursor {
  readonly at: string;
  readonly id: string;
}

export interface Filter {
  readonly outcome?: Outcome | undefined;
  readonly agent?: string | undefined;
  readonly play?: string | undefined;
  readonly account?: string | undefined;
}

interface Row {
  proposal_id: string;
  sentence: string | null;
  outcome: Outcome;
  reason: string | null;
  agent: string;
  play_id: string;
  play_title: string;
  kind: string | null;
  account_id: string | null;
  account_name: string | null;
  known_name: string | null;
  people: PersonNamed[];
  correlation_id: string;
  task_id: string;
  run_id: string;
  started_at: Date;
  changed_at: Date;
}

/** At most this many stories are looked at for one name, or for all names with the same beginning. */
const mostNamed = 2_000;
/** How many lines are read for one story. */
export const mostSteps = 500;

/** Adds the names of their accounts and the people whom they concern, from the present profiles. */
const withNames = (found: string): string => `
  SELECT found.*, accounts.name AS known_name, concerned.people FROM (${found}) found
  LEFT JOIN accounts ON accounts.account_id = found.account_id
  CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(known), '[]') AS people FROM (
      SELECT DISTINCT p.contact_id AS "contactId", p.seniority, p.job_function AS "jobFunction", own.name AS "accountName"
      FROM person_actions t JOIN people p ON p.contact_id = t.contact_id
      LEFT JOIN accounts own ON own.account_id = p.account_id
      WHERE t.proposal_id = found.proposal_id LIMIT 10) known) concerned
  ORDER BY found.started_at DESC, found.proposal_id DESC`;

/** Reads the rows in this order from one of the indexes, and checks the other filters on these rows: they are few enough. */
const listed = (lead: string): string =>
  withNames(`
  SELECT * FROM stories
  WHERE ${lead} AND ($3::text IS NULL OR agent = $3) AND ($4::text IS NULL OR play_id = $4) AND ($5::text IS NULL OR outcome = $5)
    AND ($6::text IS NULL OR account_id = $6) AND (started_at, proposal_id) < ($1, $2)
  ORDER BY started_at DESC, proposal_id DESC LIMIT $7`);
const lists = {
  account: listed('account_id = $6'),
  outcome: listed('outcome = $5'),
  play: listed('play_id = $4'),
  agent: listed('agent = $3'),
  newest: listed('true'),
} as const;

const named = withNames(`
  SELECT * FROM stories
  WHERE proposal_id IN (
      (SELECT proposal_id FROM story_names WHERE name ~>=~ $8 AND name ~<~ $9 LIMIT ${mostNamed})
      UNION ALL (SELECT o.proposal_id FROM accounts a JOIN stories o ON o.account_id = a.account_id
        WHERE lower(a.name) ~>=~ $8 AND lower(a.name) ~<~ $9 LIMIT ${mostNamed}))
    AND ($3::text IS NULL OR agent = $3) AND ($4::text IS NULL OR play_id = $4) AND ($5::text IS NULL OR outcome = $5)
    AND ($6::text IS NULL OR account_id = $6) AND (started_at, proposal_id) < ($1, $2)
  ORDER BY started_at DESC, proposal_id DESC LIMIT $7`);

const stepColumns = `seq::text AS seq, correlation_id AS "correlationId", topic, partition, "offset"::text AS "offset", event_id AS "eventId",
  type, subject_id AS "subjectId", detail, at, bytes`;

/** The text that sorts after every text with this prefix, in the order of bytes. */
const after = (prefix: string): string => `${prefix}\u{10ffff}`;

/** The stories of the projection. */
@Injectable()
export class StoryStore {
  constructor(@Inject(Store) private readonly store: Store) {}

  /** Newest first. */
  async stories(filter: Filter, before: Cursor | undefined, limit: number): Promise<StoryRow[]> {
    const lead =
      filter.account !== undefined
        ? 'account'
        : filter.outcome !== undefined
          ? 'outcome'
          : filter.play !== undefined
            ? 'play'
            : filter.agent !== undefined
              ? 'agent'
              : 'newest';
    const rows = await this.store.forPages.query<Row>(lists[lead], parameters(filter, before, limit));
    return rows.map(storyOf);
  }

  /** The stories that have this name; if there are none, the stories with a name that begins with it. */
  async named(name: string, filter: Filter, before: Cursor | undefined, limit: number): Promise<StoryRow[]> {
    const given = parameters(filter, before, limit);
    const exact = await this.store.forPages.query<Row>(named, [...given, name, `${name}\u0001`]);
    if (exact.length > 0) return exact.map(storyOf);
    const rows = await this.store.forPages.query<Row>(named, [...given, name, after(name)]);
    return rows.map(storyOf);
  }

  /** The first events of the chains with this id, or with an id that begins with it; newest first. */
  async chains(id: string, limit: number): Promise<{ id: string; type: string; detail: string; at: string }[]> {
    const rows = await this.store.forPages.query<{ id: string; type: string; detail: string; at: Date }>(
      `WITH found AS (
         SELECT DISTINCT correlation_id FROM (
           (SELECT correlation_id FROM activities WHERE correlation_id ~>=~ $1 AND correlation_id ~<~ $2 LIMIT $3)
           UNION ALL (SELECT correlation_id FROM activities WHERE subject_id ~>=~ $1 AND subject_id ~<~ $2 LIMIT $3)
           UNION ALL (SELECT correlation_id FROM activities WHERE event_id ~>=~ $1 AND event_id ~<~ $2 LIMIT $3)) hits LIMIT $3)
       SELECT found.correlation_id AS id, begun.type, begun.detail, begun.at FROM found
       CROSS JOIN LATERAL (
         SELECT type, detail, at FROM activities a WHERE a.correlation_id = found.correlation_id ORDER BY at, seq LIMIT 1) begun
       ORDER BY begun.at DESC`,
      [id, after(id), limit],
    );
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  }

  /** The story of a proposal, or the only story that has this name. */
  async story(id: string): Promise<FoundStory | undefined> {
    const rows = await this.store.forPages.query<Row>(
      withNames(
        'SELECT * FROM stories WHERE proposal_id IN (SELECT proposal_id FROM story_names WHERE name = $1 LIMIT 2) LIMIT 2',
      ),
      [id.toLowerCase()],
    );
    const own = rows.find((row) => row.proposal_id === id.toLowerCase()) ?? (rows.length === 1 ? rows[0] : undefined);
    return own && { story: storyOf(own), taskId: own.task_id, runId: own.run_id };
  }

  /** The first lines of a chain, and all lines about these ids. */
  async steps(correlationId: string, ids: readonly string[]): Promise<StepRow[]> {
    const rows = await this.store.forPages.query<Omit<StepRow, 'at'> & { at: Date }>(
      `(SELECT ${stepColumns} FROM activities WHERE correlation_id = $1 ORDER BY activities.at, activities.seq LIMIT $3)
       UNION ALL (SELECT ${stepColumns} FROM activities WHERE subject_id = ANY($2) LIMIT $3)`,
      [correlationId, ids, mostSteps],
    );
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  }

  /** The chain that an event or a subject belongs to. */
  async chainOf(id: string): Promise<string | undefined> {
    const [row] = await this.store.forPages.query<{ correlation_id: string }>(
      `(SELECT correlation_id FROM activities WHERE correlation_id = $1 LIMIT 1)
       UNION ALL (SELECT correlation_id FROM activities WHERE subject_id = $1 LIMIT 1)
       UNION ALL (SELECT correlation_id FROM activities WHERE event_id = $1 LIMIT 1) LIMIT 1`,
      [id],
    );
    return row?.correlation_id;
  }

  /** One line, with its bytes. */
  async step(seq: number): Promise<StepRow | undefined> {
    const [row] = await this.store.forPages.query<Omit<StepRow, 'at'> & { at: Date }>(
      `SELECT ${stepColumns} FROM activities WHERE activities.seq = $1`,
      [seq],
    );
    return row && { ...row, at: row.at.toISOString() };
  }
}

const parameters = ({ agent, play, outcome, account }: Filter, before: Cursor | undefined, limit: number) => [
  before?.at ?? '9999-12-31T00:00:00Z',
  before?.id ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff',
  agent ?? null,
  play ?? null,
  outcome ?? null,
  account ?? null,
  limit,
];

const storyOf = (row: Row): StoryRow => ({
  id: row.proposal_id,
  sentence: row.sentence ?? row.kind ?? 'An action whose proposal is not here yet',
  outcome: row.outcome,
  reason: row.reason,
  agent: row.agent,
  play: { id: row.play_id, title: row.play_title },
  kind: row.kind,
  account: row.account_id === null ? null : { id: row.account_id, name: row.known_name ?? row.account_name },
  people: row.people,
  correlationId: row.correlation_id,
  startedAt: row.started_at.toISOString(),
  changedAt: row.changed_at.toISOString(),
});
