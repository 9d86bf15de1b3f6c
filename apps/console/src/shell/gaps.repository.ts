import type { DataOf } from '@countersign/contracts';
import { type Reader, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { acknowledgementIdOf } from '../core/gap.js';
import { readersOf } from './readers.js';

type Acknowledgement = DataOf<'GapAcknowledged'>;

const insert = `
  INSERT INTO acknowledged_gaps (word_id, service, topic, topic_id, partition, from_offset, to_offset, reason, by_person, note, at)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::timestamptz[])
  ON CONFLICT DO NOTHING`;

/** Keeps the first acknowledgement of each gap. */
export function storeAcknowledgements(tx: Tx, acknowledgements: readonly Acknowledgement[]): void {
  const first = new Map<string, Acknowledgement>();
  for (const acknowledgement of acknowledgements) {
    const id = acknowledgementIdOf(acknowledgement);
    if (!first.has(id)) first.set(id, acknowledgement);
  }
  if (first.size === 0) return;
  const rows = [...first].sort(([a], [b]) => (a < b ? -1 : 1));
  const values: ((id: string, acknowledgement: Acknowledgement) => unknown)[] = [
    (id) => id,
    (_, a) => a.service,
    (_, a) => a.topic,
    (_, a) => a.topicId,
    (_, a) => a.partition,
    (_, a) => a.from,
    (_, a) => a.to,
    (_, a) => a.reason,
    (_, a) => a.by,
    (_, a) => a.note,
    (_, a) => a.at,
  ];
  tx.write(
    insert,
    values.map((value) => rows.map(([id, acknowledgement]) => value(id, acknowledgement))),
  );
}

const columns = `service, topic, topic_id AS "topicId", partition, from_offset AS "from", to_offset AS "to", reason, by_person AS by, note, at`;

/** The gaps that people have acknowledged. Open gaps are on the health page of each service. */
@Injectable()
export class GapStore {
  private readonly forActs: Reader;
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forActs: this.forActs, forPages: this.forPages } = readersOf(runtime));
  }

  /** The latest first. */
  async list(limit: number): Promise<Acknowledgement[]> {
    const rows = await this.forPages.query<Omit<Acknowledgement, 'at'> & { at: Date }>(
      `SELECT ${columns} FROM acknowledged_gaps ORDER BY at DESC LIMIT $1`,
      [limit],
    );
    return rows.map(fromRow);
  }

  async find(id: string): Promise<Acknowledgement | undefined> {
    const [row] = await this.forActs.query<Omit<Acknowledgement, 'at'> & { at: Date }>(
      `SELECT ${columns} FROM acknowledged_gaps WHERE word_id = $1`,
      [id],
    );
    return row && fromRow(row);
  }
}

const fromRow = (row: Omit<Acknowledgement, 'at'> & { at: Date }): Acknowledgement => ({
  ...row,
  at: row.at.toISOString(),
});
