import { Inject, Injectable } from '@nestjs/common';
import { type Refuser, refusedBy } from '../core/refused-by.js';
import type { Outcome } from '../core/stories.js';
import type { StepRow } from '../core/story-steps.js';
import { Store } from './console.repository.js';
import { type NamedThings, thingsNamed } from './names.js';

export interface StoryRow extends NamedThings {
  readonly id: string;
  readonly sentence: string;
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly agent: string;
  readonly play: { readonly id: string; readonly title: string };
  readonly kind: string | null;
  readonly account: { readonly id: string; readonly name: string | null } | null;
  readonly correlationId: string;
  readonly startedAt: string;
  readonly changedAt: string;
}

/** One story, with each rule that refused it. */
export interface WholeStory extends StoryRow {
  readonly reasons: readonly { readonly rule: string; readonly detail: string }[];
  /** What ended it, if it was refused. */
  readonly refusedBy: Refuser | null;
}

/** A story, with the ids that find its steps. */
export interface FoundStory {
  readonly story: WholeStory;
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

interface Row extends NamedThings {
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
  correlation_id: string;
  task_id: string;
  run_id: string;
  started_at: Date;
  changed_at: Date;
}

/** At most this many names, and as many accounts, are looked at that begin with a text. A longer text finds the others. */
export const mostNames = 20;
/** How many lines are read for one story. */
export const mostSteps = 500;

/** Adds the names of their accounts and campaigns and the people whom they concern, from the present profiles. */
const withNames = (found: string): string => `
  SELECT found.*, accounts.name AS known_name, ${thingsNamed('found')} FROM (${found}) found
  LEFT JOIN accounts ON accounts.account_id = found.account_id
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

const fits = `($3::text IS NULL OR o.agent = $3) AND ($4::text IS NULL OR o.play_id = $4) AND ($5::text IS NULL OR o.outcome = $5)
  AND ($6::text IS NULL OR o.account_id = $6)`;
/** Reads a page of each name and of each account from its index, and of these rows the newest. */
const named = withNames(`
  SELECT * FROM stories
  WHERE proposal_id IN (
    SELECT hit.proposal_id FROM unnest($8::text[]) AS k(name) CROSS JOIN LATERAL (
      SELECT n.proposal_id FROM story_names n JOIN stories o ON o.proposal_id = n.proposal_id
      WHERE n.name = k.name AND (n.started_at, n.proposal_id) < ($1, $2) AND ${fits}
      ORDER BY n.started_at DESC, n.proposal_id DESC LIMIT $7) hit
    UNION ALL
    SELECT hit.proposal_id FROM unnest($9::text[]) AS k(account_id) CROSS JOIN LATERAL (
      SELECT o.proposal_id FROM stories o
      WHERE o.account_id = k.account_id AND (o.started_at, o.proposal_id) < ($1, $2) AND ${fits}
      ORDER BY o.started_at DESC, o.proposal_id DESC LIMIT $7) hit)
  ORDER BY started_at DESC, proposal_id DESC LIMIT $7`);

/**
 * The different values of a column of texts from `$1` to before `$2`, in the order of bytes, one look in the index for each: a value may
 * have any number of rows.
 */
const valuesOf = (table: string, column: string, most: number): string => `
  WITH RECURSIVE found(value, n) AS (
    (SELECT ${column}, 1 FROM ${table} WHERE ${column} ~>=~ $1 AND ${column} ~<~ $2 ORDER BY ${column} USING ~<~ LIMIT 1)
    UNION ALL
    SELECT later.value, found.n + 1 FROM found CROSS JOIN LATERAL (
      SELECT ${column} AS value FROM ${table} WHERE ${column} ~>~ found.value AND ${column} ~<~ $2
      ORDER BY ${column} USING ~<~ LIMIT 1) later
    WHERE found.n < ${most})
  SELECT value FROM found`;

/** One more than is looked at, so that it is known whether there are others. */
const namesWithin = valuesOf('story_names', 'name', mostNames + 1);
const accountsWithin = `
  SELECT account_id AS value FROM accounts WHERE lower(name) ~>=~ $1 AND lower(name) ~<~ $2
  ORDER BY lower(name) USING ~<~, account_id LIMIT ${mostNames + 1}`;
/** The ids of campaigns as stories have them among their names. */
const campaignsWithin = `
  SELECT lower(campaign_id) AS value FROM campaigns WHERE lower(name) ~>=~ $1 AND lower(name) ~<~ $2
  ORDER BY lower(name) USING ~<~, key LIMIT ${mostNames + 1}`;

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

  /**
   * The stories that have this name, newest first; if there are none, the stories with a name that begins with it. `incomplete`: more
   * names begin with it than are looked at.
   */
  async named(
    name: string,
    filter: Filter,
    before: Cursor | undefined,
    limit: number,
  ): Promise<{ stories: StoryRow[]; incomplete: boolean }> {
    const given = parameters(filter, before, limit);
    const values = async (sql: string, from: string, to: string): Promise<string[]> =>
      (await this.store.forPages.query<{ value: string }>(sql, [from, to])).map(({ value }) => value);
    const stories = async (names: readonly string[], accounts: readonly string[]): Promise<StoryRow[]> =>
      (await this.store.forPages.query<Row>(named, [...given, names, accounts])).map(storyOf);
    /** What has this name now: the ids of accounts and of campaigns. */
    const called = (to: string) =>
      Promise.all([values(accountsWithin, name, to), values(campaignsWithin, name, to)] as const);
    const few = (found: readonly string[]) => found.slice(0, mostNames);
    const tooMany = (...all: readonly (readonly string[])[]) => all.some(({ length }) => length > mostNames);
    const [accounts, campaigns] = await called(`${name}\u0001`);
    const exact = await stories([name, ...few(campaigns)], few(accounts));
    if (exact.length > 0) return { stories: exact, incomplete: tooMany(accounts, campaigns) };
    const names = await values(namesWithin, name, after(name));
    const [more, others] = await called(after(name));
    return {
      stories: await stories([...few(names), ...few(others)], few(more)),
      incomplete: tooMany(names, more, others),
    };
  }

  /**
   * The first events of the chains with this id, or with an id that begins with it; newest first. `incomplete`: more ids begin with it
   * than are looked at.
   */
  async chains(
    id: string,
  ): Promise<{ chains: { id: string; type: string; detail: string; at: string }[]; incomplete: boolean }> {
    const most = mostNames + 1;
    const rows = await this.store.forPages.query<{ id: string; type: string; detail: string; at: Date }>(
      `WITH found AS (
         SELECT DISTINCT correlation_id FROM (
           (SELECT value AS correlation_id FROM (${valuesOf('activities', 'correlation_id', most)}) ids)
           UNION ALL (SELECT hit.correlation_id FROM (${valuesOf('activities', 'subject_id', most)}) ids CROSS JOIN LATERAL (
             SELECT correlation_id FROM activities a WHERE a.subject_id = ids.value LIMIT ${most}) hit)
           UNION ALL (SELECT correlation_id FROM activities WHERE event_id ~>=~ $1 AND event_id ~<~ $2
             ORDER BY event_id USING ~<~ LIMIT ${most})) hits
         ORDER BY correlation_id LIMIT ${most})
       SELECT found.correlation_id AS id, begun.type, begun.detail, begun.at FROM found
       CROSS JOIN LATERAL (
         SELECT type, detail, at FROM activities a WHERE a.correlation_id = found.correlation_id ORDER BY at, seq LIMIT 1) begun
       ORDER BY begun.at DESC`,
      [id, after(id)],
    );
    const chains = rows.slice(0, mostNames).map((row) => ({ ...row, at: row.at.toISOString() }));
    return { chains, incomplete: rows.length > mostNames };
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
    if (!own) return undefined;
    const refusal = own.outcome === 'refused' ? await this.refusal(own.proposal_id) : notRefused;
    return { story: { ...storyOf(own), ...refusal }, taskId: own.task_id, runId: own.run_id };
  }

  /** The rules that refused an action, and what a person can do about it. A verdict that approved it has no such rules. */
  private async refusal(proposalId: string): Promise<Pick<WholeStory, 'reasons' | 'refusedBy'>> {
    const [row] = await this.store.forPages.query<Parameters<typeof refusedBy>[0] & Pick<WholeStory, 'reasons'>>(
      `SELECT v.reasons, v.stopped, s.code FROM stories o JOIN verdicts v ON v.action_id = o.action_id
       LEFT JOIN settlements s ON s.action_id = v.action_id AND s.executor = v.executor AND s.approved
       WHERE o.proposal_id = $1`,
      [proposalId],
    );
    return row ? { reasons: row.reasons, refusedBy: refusedBy(row) } : { reasons: [], refusedBy: 'rule' };
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

const notRefused = { reasons: [], refusedBy: null };

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
  campaigns: row.campaigns,
  correlationId: row.correlation_id,
  startedAt: row.started_at.toISOString(),
  changedAt: row.changed_at.toISOString(),
});
