import { generateKeyPairSync, sign } from 'node:crypto';
import { canonical, type Envelope, fromKafka, outputId, sha256, sourceOf, toBinary } from '@countersign/contracts';
import type { KafkaMessage } from '@countersign/kafka';
import type { KafkaAccess } from '@countersign/testing';
import pg from 'pg';
import { kafkaOf, producerOf, type Reading, read } from '../kafka.js';
import { serve } from '../worker.js';

const tables = `
  CREATE TABLE inbox (
    topic text NOT NULL, source text NOT NULL, id text NOT NULL, sha256 text NOT NULL,
    partition int NOT NULL, "offset" bigint NOT NULL, at timestamptz NOT NULL,
    PRIMARY KEY (topic, source, id));
  CREATE TABLE counters (key text PRIMARY KEY, count bigint NOT NULL);
  CREATE TABLE outbox (
    topic text NOT NULL, source text NOT NULL, id text NOT NULL, seq int NOT NULL, out_topic text NOT NULL, key text NOT NULL,
    headers text NOT NULL, value text NOT NULL, at timestamptz NOT NULL,
    PRIMARY KEY (topic, source, id, seq))`;

const { privateKey } = generateKeyPairSync('ed25519');
let reading: Reading;

/** The output: the event with a digest of its content and a signature of the digest. */
function signed(event: Envelope, headers: KafkaMessage['headers'], at: string) {
  const digest = sha256(canonical(event.data));
  const signature = sign(null, Buffer.from(digest), privateKey).toString('base64url');
  const output = toBinary({
    ...event,
    id: outputId('bench', event, 0),
    source: sourceOf('bench'),
    time: at,
    causationid: event.id,
    data: { ...(event.data as object), digest, signature },
  });
  return { value: output.value, headers: { ...output.headers, bench: String(headers?.bench) } };
}

const calls = {
  /**
   * One hop with one effect per event: keys, counters and outputs in a transaction per batch, a signature per event, then what
   * was committed is published.
   */
  async run(hop: {
    readonly access: KafkaAccess;
    readonly from: string;
    readonly to: string;
    readonly database: string;
  }) {
    const kafka = kafkaOf(hop.access);
    const producer = await producerOf(kafka);
    const pool = new pg.Pool({ connectionString: hop.database, max: 10 });
    await pool.query(tables);

    const handle = async (messages: readonly KafkaMessage[], partition: number): Promise<void> => {
      const events = messages.map((message) => {
        const read = fromKafka(message);
        if (!read.ok) throw new Error(read.fault.detail);
        return { message, event: read.event };
      });
      const at = new Date().toISOString();
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        const { rows } = await client.query<{ id: string }>(
          `INSERT INTO inbox SELECT $1, source, id, sha256, $2, "offset", $3
           FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[]) AS n(source, id, sha256, "offset")
           ORDER BY source, id ON CONFLICT DO NOTHING RETURNING id`,
          [
            hop.from,
            partition,
            at,
            events.map(({ event }) => event.source),
            events.map(({ event }) => event.id),
            events.map(({ message }) => sha256(message.value ?? '')),
            events.map(({ message }) => message.offset),
          ],
        );
        const inserted = new Set(rows.map(({ id }) => id));
        const fresh = events.filter(({ event }) => inserted.has(event.id));
        await client.query(
          `INSERT INTO counters SELECT key, count(*) FROM unnest($1::text[]) AS key GROUP BY key ORDER BY key
           ON CONFLICT (key) DO UPDATE SET count = counters.count + excluded.count`,
          [fresh.map(({ message }) => String(message.key))],
        );
        const messages = fresh.map(({ message, event }) => ({
          key: message.key,
          ...signed(event, message.headers, at),
        }));
        await client.query(
          `INSERT INTO outbox SELECT $1, source, id, 0, $2, key, headers, value, $3
           FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) AS n(source, id, key, headers, value)`,
          [
            hop.from,
            hop.to,
            at,
            fresh.map(({ event }) => event.source),
            fresh.map(({ event }) => event.id),
            messages.map(({ key }) => String(key)),
            messages.map(({ headers }) => JSON.stringify(headers)),
            messages.map(({ value }) => value),
          ],
        );
        await client.query('COMMIT');
        await producer.send({ topic: hop.to, acks: -1, messages: messages });
      } finally {
        client.release();
      }
    };
    reading = await read({ kafka, topic: hop.from, group: 'durable-hop', handle });
  },
  pause: (_: null): void => reading.pause(),
  resume: (_: null): void => reading.resume(),
};

export type DurableHop = typeof calls;
serve(calls);
