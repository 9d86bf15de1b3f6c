import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { wordIdOf } from '../core/gap.js';

type Word = DataOf<'GapAcknowledged'>;

const insert = `
  INSERT INTO acknowledged_gaps (word_id, service, topic, topic_id, partition, from_offset, to_offset, reason, by_person, note, at)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::timestamptz[])
  ON CONFLICT DO NOTHING`;

/** Keeps the first word about each gap. */
export function keepWords(tx: Tx, words: readonly Word[]): void {
  const first = new Map<string, Word>();
  for (const word of words) if (!first.has(wordIdOf(word))) first.set(wordIdOf(word), word);
  if (first.size === 0) return;
  const rows = [...first].sort(([a], [b]) => (a < b ? -1 : 1));
  const columns: ((id: string, word: Word) => unknown)[] = [
    (id) => id,
    (_, w) => w.service,
    (_, w) => w.topic,
    (_, w) => w.topicId,
    (_, w) => w.partition,
    (_, w) => w.from,
    (_, w) => w.to,
    (_, w) => w.reason,
    (_, w) => w.by,
    (_, w) => w.note,
    (_, w) => w.at,
  ];
  tx.write(
    insert,
    columns.map((column) => rows.map(([id, word]) => column(id, word))),
  );
}

const columns = `service, topic, topic_id AS "topicId", partition, from_offset AS "from", to_offset AS "to", reason, by_person AS by, note, at`;

/** The gaps that people have acknowledged. What is open, each service tells on its health page. */
@Injectable()
export class GapStore {
  private readonly forActs: Reader;
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    this.forActs = { query: (sql, params) => runtime.read(sql, params) };
    this.forPages = { query: (sql, params) => runtime.readForPage(sql, params) };
  }

  /** The latest first. */
  async list(limit: number): Promise<Word[]> {
    const rows = await this.forPages.query<Omit<Word, 'at'> & { at: Date }>(
      `SELECT ${columns} FROM acknowledged_gaps ORDER BY at DESC LIMIT $1`,
      [limit],
    );
    return rows.map(wordOf);
  }

  async word(wordId: string): Promise<Word | undefined> {
    const [row] = await this.forActs.query<Omit<Word, 'at'> & { at: Date }>(
      `SELECT ${columns} FROM acknowledged_gaps WHERE word_id = $1`,
      [wordId],
    );
    return row && wordOf(row);
  }
}

const wordOf = (row: Omit<Word, 'at'> & { at: Date }): Word => ({ ...row, at: row.at.toISOString() });
