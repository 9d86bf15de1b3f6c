import type { Tx } from '../api/runtime.js';
import type { Entry } from '../kafka/entries.js';
import { type Outgoing, storedAgain } from '../outbox/outgoing.js';
import { cut, packed } from '../outbox/packed.js';
import { causeKey } from '../outbox/unit-of-work.js';

/** Inserts the keys in key order. Returns those that are new. */
export async function insertKeys(
  tx: Tx,
  topic: string,
  entries: readonly Entry[],
  isDead: (entry: Entry) => boolean,
  at: string,
): Promise<Set<string>> {
  const sorted = [...entries].sort((a, b) => (causeKey(a) < causeKey(b) ? -1 : 1));
  const rows = await tx.query<{ source: string; id: string }>(
    `INSERT INTO inbox (topic, source, id, sha256, partition, "offset", status, at)
     SELECT $1, source, id, sha256, partition, "offset", status, $7
     FROM unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $8::text[]) AS n(source, id, sha256, partition, "offset", status)
     ON CONFLICT DO NOTHING RETURNING source, id`,
    [
      topic,
      sorted.map((e) => e.source),
      sorted.map((e) => e.id),
      sorted.map((e) => e.sha),
      sorted.map((e) => e.record.partition),
      sorted.map((e) => e.record.offset),
      at,
      sorted.map((e) => (isDead(e) ? 'dead' : 'done')),
    ],
  );
  return new Set(rows.map(causeKey));
}

/** The rows that already existed for these keys. */
export async function keyRows(tx: Tx, topic: string, entries: readonly Entry[]) {
  if (entries.length === 0) return new Map<string, { sha256: string; partition: number; offset: number }>();
  const rows = await tx.query<{ source: string; id: string; sha256: string; partition: number; offset: number }>(
    `SELECT i.source, i.id, i.sha256, i.partition, i."offset" FROM inbox i
     JOIN unnest($2::text[], $3::text[]) AS n(source, id) ON i.source = n.source AND i.id = n.id
     WHERE i.topic = $1 AND i.source = ANY($2) AND i.id = ANY($3)`,
    [topic, entries.map((e) => e.source), entries.map((e) => e.id)],
  );
  return new Map(rows.map((row) => [causeKey(row), row]));
}

/** Stores the outputs of fresh entries, so that a repeat publishes the same bytes. */
export function storeOutputs(
  tx: Tx,
  topic: string,
  stored: readonly { entry: Entry; seq: number; output: Outgoing }[],
  at: string,
): void {
  if (stored.length === 0) return;
  const headers = packed(stored.map((s) => s.output.headersText));
  const values = packed(stored.map((s) => s.output.value));
  tx.write(
    `INSERT INTO outbox (topic, source, id, seq, out_topic, key, headers, value, partition, "offset", at)
     SELECT $1, source, id, seq, out_topic, key, ${cut('$12', 'hs', 'hl')}, ${cut('$13', 'vs', 'vl')}, partition, "offset", $11
     FROM unnest($2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[], $10::bigint[], $14::int[], $15::int[])
       AS n(source, id, seq, out_topic, key, hs, hl, partition, "offset", vs, vl)`,
    [
      topic,
      stored.map((s) => s.entry.source),
      stored.map((s) => s.entry.id),
      stored.map((s) => s.seq),
      stored.map((s) => s.output.topic),
      stored.map((s) => s.output.key),
      headers.starts,
      headers.lengths,
      stored.map((s) => s.entry.record.partition),
      stored.map((s) => s.entry.record.offset),
      at,
      headers.bytes,
      values.bytes,
      values.starts,
      values.lengths,
    ],
  );
}

/** The stored outputs of redelivered entries. */
export async function storedOutputs(
  tx: Tx,
  topic: string,
  entries: readonly Entry[],
): Promise<{ entry: Entry; output: Outgoing }[]> {
  if (entries.length === 0) return [];
  const rows = await tx.query<{
    source: string;
    id: string;
    out_topic: string;
    key: string;
    headers: string;
    value: string;
  }>(
    `SELECT o.source, o.id, o.out_topic, o.key, o.headers, o.value FROM outbox o
     JOIN unnest($2::text[], $3::text[]) AS n(source, id) ON o.source = n.source AND o.id = n.id
     WHERE o.topic = $1 AND o.source = ANY($2) AND o.id = ANY($3) ORDER BY o.source, o.id, o.seq`,
    [topic, entries.map((e) => e.source), entries.map((e) => e.id)],
  );
  const byName = new Map(entries.map((e) => [causeKey(e), e]));
  return rows.map(({ out_topic, key, headers, value, ...cause }) => ({
    entry: byName.get(causeKey(cause)) as Entry,
    output: storedAgain({ topic: out_topic, key, headers, value }),
  }));
}
