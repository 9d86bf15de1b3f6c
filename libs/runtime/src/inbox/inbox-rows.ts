import type { Tx } from '../api/runtime.js';
import type { Entry } from '../kafka/entries.js';
import { type Outgoing, storedAgain } from '../outbox/outgoing.js';
import { cut, packed } from '../outbox/packed.js';
import { causeKey } from '../outbox/unit-of-work.js';

/** An entry with its topic, because an id is unique only within its topic. */
export interface Placed<E extends Entry = Entry> {
  readonly topic: string;
  readonly entry: E;
}

/** The name of an entry's key, or of its row. */
export const keyOf = (topic: string, { source, id }: { readonly source: string; readonly id: string }): string =>
  `${topic}\u0000${causeKey({ source, id })}`;

/** Inserts the keys in key order. Returns those that are new, as `keyOf` names them. */
export async function insertKeys(
  tx: Tx,
  placed: readonly Placed[],
  isDead: (placed: Placed) => boolean,
  at: string,
): Promise<Set<string>> {
  const sorted = [...placed].sort((a, b) => (keyOf(a.topic, a.entry) < keyOf(b.topic, b.entry) ? -1 : 1));
  const rows = await tx.query<{ topic: string; source: string; id: string }>(
    `INSERT INTO inbox (topic, source, id, sha256, partition, "offset", status, at)
     SELECT topic, source, id, sha256, partition, "offset", status, $7
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $8::text[])
       AS n(topic, source, id, sha256, partition, "offset", status)
     ON CONFLICT DO NOTHING RETURNING topic, source, id`,
    [
      sorted.map(({ topic }) => topic),
      sorted.map(({ entry }) => entry.source),
      sorted.map(({ entry }) => entry.id),
      sorted.map(({ entry }) => entry.sha),
      sorted.map(({ entry }) => entry.record.partition),
      sorted.map(({ entry }) => entry.record.offset),
      at,
      sorted.map((placed) => (isDead(placed) ? 'dead' : 'done')),
    ],
  );
  return new Set(rows.map((row) => keyOf(row.topic, row)));
}

interface KeyRow {
  readonly topic: string;
  readonly source: string;
  readonly id: string;
  readonly sha256: string;
  readonly partition: number;
  readonly offset: number;
}

const columnsOf = (placed: readonly Placed[]) => [
  placed.map(({ topic }) => topic),
  placed.map(({ entry }) => entry.source),
  placed.map(({ entry }) => entry.id),
];

/** The rows that already existed for these keys, as `keyOf` names them. */
export async function keyRows(tx: Tx, placed: readonly Placed[]): Promise<ReadonlyMap<string, KeyRow>> {
  if (placed.length === 0) return new Map();
  const rows = await tx.query<KeyRow>(
    `SELECT i.topic, i.source, i.id, i.sha256, i.partition, i."offset" FROM inbox i
     JOIN unnest($1::text[], $2::text[], $3::text[]) AS n(topic, source, id)
       ON i.topic = n.topic AND i.source = n.source AND i.id = n.id
     WHERE i.topic = ANY($1) AND i.source = ANY($2) AND i.id = ANY($3)`,
    columnsOf(placed),
  );
  return new Map(rows.map((row) => [keyOf(row.topic, row), row]));
}

/** Stores the outputs of fresh entries, so that a repeat publishes the same bytes. */
export function storeOutputs(
  tx: Tx,
  stored: readonly (Placed & { readonly seq: number; readonly output: Outgoing })[],
  at: string,
): void {
  if (stored.length === 0) return;
  const headers = packed(stored.map((s) => s.output.headersText));
  const values = packed(stored.map((s) => s.output.value));
  tx.write(
    `INSERT INTO outbox (topic, source, id, seq, out_topic, key, headers, value, partition, "offset", at)
     SELECT topic, source, id, seq, out_topic, key, ${cut('$12', 'hs', 'hl')}, ${cut('$13', 'vs', 'vl')}, partition, "offset", $11
     FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[], $10::bigint[], $14::int[], $15::int[])
       AS n(topic, source, id, seq, out_topic, key, hs, hl, partition, "offset", vs, vl)`,
    [
      ...columnsOf(stored),
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
  placed: readonly Placed[],
): Promise<(Placed & { readonly output: Outgoing })[]> {
  if (placed.length === 0) return [];
  const rows = await tx.query<{
    topic: string;
    source: string;
    id: string;
    out_topic: string;
    key: string;
    headers: string;
    value: string;
  }>(
    `SELECT o.topic, o.source, o.id, o.out_topic, o.key, o.headers, o.value FROM outbox o
     JOIN unnest($1::text[], $2::text[], $3::text[]) AS n(topic, source, id)
       ON o.topic = n.topic AND o.source = n.source AND o.id = n.id
     WHERE o.topic = ANY($1) AND o.source = ANY($2) AND o.id = ANY($3) ORDER BY o.topic, o.source, o.id, o.seq`,
    columnsOf(placed),
  );
  const byName = new Map(placed.map((each) => [keyOf(each.topic, each.entry), each]));
  return rows.map(({ topic, out_topic, key, headers, value, ...cause }) => ({
    ...(byName.get(keyOf(topic, cause)) as Placed),
    output: storedAgain({ topic: out_topic, key, headers, value }),
  }));
}
