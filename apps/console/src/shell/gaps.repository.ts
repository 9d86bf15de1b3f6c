import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Cursor } from '../core/cursor.js';
import { gapIdOf, type KnownGap, type MadeAgain } from '../core/gap.js';
import type { Changes } from '../core/project.js';
import { readersOf } from './readers.js';
import { insert, orderedRounds } from './rows.js';

type Reported = DataOf<'GapReported'>;
type Acknowledgement = DataOf<'GapAcknowledged'>;
type End = DataOf<'AcknowledgementEnded'>;

/** A gap that its service reports as open, with the acknowledgement that the service has not answered yet. */
export interface OpenGap extends Omit<Reported, 'at'> {
  readonly gapId: string;
  readonly acknowledged: Pick<Acknowledgement, 'by' | 'note' | 'at'> | null;
}

/** An acknowledgement; `answer` is what its service reported of it. */
export interface Acknowledged extends Acknowledgement {
  readonly gapId: string;
  readonly answer: Pick<End, 'outcome' | 'at'> | null;
}

/** Keeps what services report of their gaps, and what people write about them, in any order. */
export function storeGaps(
  tx: Tx,
  {
    gapReports,
    acknowledgements,
    acknowledgementEnds,
  }: Pick<Changes, 'gapReports' | 'acknowledgements' | 'acknowledgementEnds'>,
): void {
  for (const round of orderedRounds(gapReports, gapIdOf))
    insert(tx, round, {
      sql: `INSERT INTO reported_gaps AS g (gap_id, service, topic, topic_id, partition, from_offset, to_offset, reason, noticed_at, reported_at)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::text[], $9::timestamptz[], $10::timestamptz[])
            ON CONFLICT (gap_id) DO UPDATE SET to_offset = excluded.to_offset, noticed_at = excluded.noticed_at, reported_at = excluded.reported_at
            WHERE g.reported_at < excluded.reported_at`,
      columns: [...identity, (gap) => gap.to, (gap) => gap.reason, (gap) => gap.noticedAt, (gap) => gap.at],
    });
  storeAcknowledgements(tx, acknowledgements);
  const [ends = []] = orderedRounds(acknowledgementEnds, (end) => `${gapIdOf(end)} ${end.acknowledgedAt}`);
  insert(tx, ends, {
    sql: `INSERT INTO acknowledgement_ends (gap_id, acknowledged_at, outcome, at)
          SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::timestamptz[])
          ON CONFLICT DO NOTHING`,
    columns: [gapIdOf, (end) => end.acknowledgedAt, (end) => end.outcome, (end) => end.at],
  });
}

export function storeAcknowledgements(tx: Tx, acknowledgements: readonly Acknowledgement[]): void {
  const [rows = []] = orderedRounds(acknowledgements, (word) => `${gapIdOf(word)} ${word.at}`);
  insert(tx, rows, {
    sql: `INSERT INTO acknowledged_gaps (gap_id, service, topic, topic_id, partition, from_offset, to_offset, reason, by_person, note, at)
          SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::timestamptz[])
          ON CONFLICT DO NOTHING`,
    columns: [
      ...identity,
      (word) => word.to,
      (word) => word.reason,
      (word) => word.by,
      (word) => word.note,
      (word) => word.at,
    ],
  });
}

const identity: readonly ((gap: Omit<Reported, 'noticedAt' | 'at'>) => string | number)[] = [
  gapIdOf,
  (gap) => gap.service,
  (gap) => gap.topic,
  (gap) => gap.topicId,
  (gap) => gap.partition,
  (gap) => gap.from,
];

const columns = (table: string): string =>
  `${table}.gap_id AS "gapId", ${table}.service, ${table}.topic, ${table}.topic_id AS "topicId", ${table}.partition,
   ${table}.from_offset AS "from", ${table}.to_offset AS "to", ${table}.reason`;

/** When a service reported the end of a gap, if it has not reported the gap as open since. */
const endedAt = `(SELECT max(e.at) FROM acknowledgement_ends e WHERE e.gap_id = g.gap_id AND e.at >= g.reported_at)`;

/** Open, and not acknowledged since its service last reported it. */
const waitsForPerson = `${endedAt} IS NULL
  AND NOT EXISTS (SELECT FROM acknowledged_gaps a WHERE a.gap_id = g.gap_id AND a.at > g.reported_at)`;

type Dates<Row, Key extends keyof Row> = Omit<Row, Key> & { readonly [key in Key]: Date };

/** Gaps as their services report them on their topics, and the acknowledgements of people. */
@Injectable()
export class GapStore {
  private readonly forActs: Reader;
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forActs: this.forActs, forPages: this.forPages } = readersOf(runtime));
  }

  /** Open gaps, the oldest first, or the one with this id. An acknowledgement from before the last report counts no more: its service did not get it. */
  async open(after: Cursor | undefined, limit: number, gapId?: string): Promise<OpenGap[]> {
    const reader = gapId === undefined ? this.forPages : this.forActs;
    const rows = await reader.query<
      Dates<Omit<OpenGap, 'acknowledged'>, 'noticedAt'> & { by: string | null; note: string | null; at: Date | null }
    >(
      `SELECT ${columns('g')}, g.noticed_at AS "noticedAt", a.by_person AS by, a.note, a.at FROM reported_gaps g
       LEFT JOIN LATERAL (
         SELECT by_person, note, at FROM acknowledged_gaps
         WHERE gap_id = g.gap_id AND at > g.reported_at ORDER BY at LIMIT 1) a ON true
       WHERE ${endedAt} IS NULL AND ($1::timestamptz IS NULL OR (g.noticed_at, g.gap_id) > ($1, $2))
         AND ($4::uuid IS NULL OR g.gap_id = $4)
       ORDER BY g.noticed_at, g.gap_id LIMIT $3`,
      [after?.at ?? null, after?.id ?? null, limit, gapId ?? null],
    );
    return rows.map(({ by, note, at, noticedAt, ...gap }) => ({
      ...gap,
      noticedAt: noticedAt.toISOString(),
      acknowledged: by === null || note === null || at === null ? null : { by, note, at: at.toISOString() },
    }));
  }

  /** How many gaps wait for a person, of which service, and since when. One that a person acknowledged waits for its service. */
  async waiting(): Promise<{ service: string; n: number; oldestAt: string }[]> {
    const rows = await this.forPages.query<{ service: string; n: number; oldest: Date }>(
      `SELECT g.service, count(*)::int AS n, min(g.noticed_at) AS oldest FROM reported_gaps g
       WHERE ${waitsForPerson} GROUP BY g.service ORDER BY min(g.noticed_at), g.service`,
    );
    return rows.map(({ oldest, ...row }) => ({ ...row, oldestAt: oldest.toISOString() }));
  }

  /** Which of these gaps nobody has acknowledged, as the services last reported. */
  async stillOpen(reader: Reader, gapIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await reader.query<{ gapId: string }>(
      `SELECT g.gap_id AS "gapId" FROM reported_gaps g WHERE g.gap_id = ANY($1) AND ${waitsForPerson}`,
      [gapIds],
    );
    return new Set(rows.map(({ gapId }) => gapId));
  }

  /** For each of these topics, when which service last reported that it was made again. */
  async madeAgain(topics: readonly string[]): Promise<MadeAgain[]> {
    if (topics.length === 0) return [];
    const rows = await this.forPages.query<Dates<MadeAgain, 'at'>>(
      `SELECT topic, service, max(noticed_at) AS at FROM reported_gaps
       WHERE topic = ANY($1) AND reason = 'topic-made-again' GROUP BY topic, service`,
      [topics],
    );
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  }

  /** The latest acknowledgements first. */
  async acknowledged(limit: number): Promise<Acknowledged[]> {
    const rows = await this.forPages.query<AcknowledgedRow>(`${acknowledged} ORDER BY a.at DESC, a.gap_id LIMIT $1`, [
      limit,
    ]);
    return rows.map(fromRow);
  }

  /** What is known of a gap; undefined if nobody has reported it. */
  async known(gapId: string): Promise<KnownGap | undefined> {
    const [row] = await this.forActs.query<{ to: number | null; endedAt: Date | null }>(
      `SELECT g.to_offset AS "to", ${endedAt} AS "endedAt" FROM reported_gaps g WHERE g.gap_id = $1`,
      [gapId],
    );
    return row && { to: row.to, endedAt: row.endedAt?.toISOString() ?? null };
  }

  async find(gapId: string, at: string): Promise<Acknowledged | undefined> {
    const [row] = await this.forActs.query<AcknowledgedRow>(`${acknowledged} WHERE a.gap_id = $1 AND a.at = $2`, [
      gapId,
      at,
    ]);
    return row && fromRow(row);
  }
}

const acknowledged = `
  SELECT ${columns('a')}, a.by_person AS by, a.note, a.at, e.outcome, e.at AS "endedAt" FROM acknowledged_gaps a
  LEFT JOIN acknowledgement_ends e ON e.gap_id = a.gap_id AND e.acknowledged_at = a.at`;

type AcknowledgedRow = Dates<Omit<Acknowledged, 'answer'>, 'at'> & {
  readonly outcome: End['outcome'] | null;
  readonly endedAt: Date | null;
};

const fromRow = ({ at, outcome, endedAt, ...row }: AcknowledgedRow): Acknowledged => ({
  ...row,
  at: at.toISOString(),
  answer: outcome === null || endedAt === null ? null : { outcome, at: endedAt.toISOString() },
});
