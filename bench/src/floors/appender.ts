import type { KafkaMessage } from '@countersign/kafka';
import { append, emptyFrontier, hashLeaf } from '@countersign/record';
import type { KafkaAccess } from '@countersign/testing';
import pg from 'pg';
import { kafkaOf, type Reading, read } from '../kafka.js';
import { serve } from '../worker.js';
import { now } from './event.js';

const tables = `
  CREATE TABLE leaves (
    index bigint PRIMARY KEY, partition int NOT NULL, "offset" bigint NOT NULL, leaf_hash bytea NOT NULL, bytes bytea NOT NULL);
  ALTER TABLE leaves ALTER COLUMN bytes SET STORAGE EXTERNAL`;

let reading: Reading;
let times: number[] = [];
let frontier = emptyFrontier;

const calls = {
  /** Appends each event with its leaf hash, 1,000 in a transaction, and no more than that. */
  async run({
    access,
    from,
    database,
  }: {
    readonly access: KafkaAccess;
    readonly from: string;
    readonly database: string;
  }) {
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    await client.query(tables);

    const write = async (messages: readonly KafkaMessage[], partition: number): Promise<void> => {
      const values = messages.map(({ value }) => value ?? Buffer.alloc(0));
      const hashes = values.map(hashLeaf);
      const first = frontier.size;
      frontier = append(frontier, hashes).frontier;
      let next = 1;
      const starts = values.map(({ length }) => {
        next += length;
        return next - length;
      });
      // One statement is a transaction. Bytes travel in one piece: as array elements each would be escaped text of twice the length.
      await client.query(
        `INSERT INTO leaves
         SELECT $1::bigint + n - 1, $2, "offset", substring($3::bytea from (n::int - 1) * 32 + 1 for 32), substring($4::bytea from start for length)
         FROM unnest($5::bigint[], $6::int[], $7::int[]) WITH ORDINALITY AS new("offset", start, length, n)`,
        [
          first,
          partition,
          Buffer.concat(hashes),
          Buffer.concat(values),
          messages.map(({ offset }) => offset),
          starts,
          values.map(({ length }) => length),
        ],
      );
      times.push(...Array<number>(messages.length).fill(now()));
    };

    // Leaves have an order, so one batch is written after the other, from any partition.
    let written = Promise.resolve();
    reading = await read({
      kafka: kafkaOf(access),
      topic: from,
      group: 'appender',
      slice: 1_000,
      handle(messages, partition) {
        written = written.then(() => write(messages, partition));
        return written;
      },
    });
  },
  pause: (_: null): void => reading.pause(),
  resume: (_: null): void => reading.resume(),
  /** Forgets the times so far. */
  forget(_: null): void {
    times = [];
  },
  /** When each row since then was committed. */
  committed: (_: null): readonly number[] => times,
};

export type Appender = typeof calls;
serve(calls);
