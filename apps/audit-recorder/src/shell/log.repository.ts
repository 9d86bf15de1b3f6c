import {
  append,
  type ExportedLeaf,
  type Frontier,
  HASH_BYTES,
  type Hash,
  type Leaf,
  type TreeReader,
} from '@countersign/record';
import { cutBytes, packed, type Tx, takeTurn } from '@countersign/runtime';
import type { NewLeaf } from '../core/leaves.js';

/** How many checkpoints are read at once. */
export const mostCheckpoints = 1_000;
/** Smaller than the size of any log. */
export const beforeAll = -1;

/** Runs a query: a transaction, or the pool. */
export type Reader = <Row>(sql: string, params?: readonly unknown[]) => Promise<Row[]>;

/** A checkpoint as it was signed. */
export interface SignedCheckpoint {
  readonly size: number;
  readonly note: string;
  readonly at: string;
}

/**
 * Only one transaction at a time may append, in any instance: positions have no gaps and follow the commit order. The next statement
 * begins when the lock is held. No other role can hold the lock: it is on a row of this schema.
 */
export const lockLog = (tx: Tx): void => tx.write('SELECT FROM log_head FOR NO KEY UPDATE');

/** Only one transaction at a time may sign. */
export const lockSigning = (tx: Tx): Promise<void> => takeTurn(tx, 'checkpoint');

/** The tree's size and frontier. To extend the tree, hold the log's lock. */
export async function readHead(read: Reader): Promise<Frontier> {
  const [row] = await read<{ size: number; frontier: Buffer }>('SELECT size, frontier FROM log_head');
  if (!row) throw new Error('log_head has no row: the log is damaged');
  const hashes: Hash[] = [];
  for (let at = 0; at < row.frontier.length; at += HASH_BYTES) {
    hashes.push(new Uint8Array(row.frontier.subarray(at, at + HASH_BYTES)));
  }
  return { size: row.size, hashes };
}

/** Appends leaves in their order; the caller holds the log's lock. It takes a few statements, however many leaves there are. */
export async function appendLeaves(tx: Tx, leaves: readonly NewLeaf[], at: string): Promise<void> {
  const head = await readHead(tx.query.bind(tx));
  const { frontier, completed } = append(
    head,
    leaves.map(({ hash }) => hash),
  );
  const column = (member: (leaf: NewLeaf) => unknown): unknown[] => leaves.map(member);
  const bytes = packed(leaves.map((leaf) => leaf.bytes));
  tx.write(
    `WITH grown AS (UPDATE log_head SET size = $2, frontier = $3)
     INSERT INTO leaves (index, topic, partition, "offset", source, id, sha256, leaf_hash, kept, bytes, at, ids, topic_id)
     SELECT $1::bigint + n - 1, topic, partition, "offset", source, id,
       substring($5::bytea from (n::int - 1) * ${HASH_BYTES} + 1 for ${HASH_BYTES}),
       substring($6::bytea from (n::int - 1) * ${HASH_BYTES} + 1 for ${HASH_BYTES}),
       kept, ${cutBytes('$7', 'start', 'length')}, $4, ids, topic_id
     FROM ROWS FROM (
       unnest($8::text[], $9::int[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::int[], $15::int[], $17::text[]),
       jsonb_array_elements($16)
     ) WITH ORDINALITY AS new(topic, partition, "offset", source, id, kept, start, length, topic_id, ids, n)`,
    [
      head.size,
      frontier.size,
      Buffer.concat(frontier.hashes),
      at,
      Buffer.concat(leaves.map(({ leaf }) => leaf.sha256)),
      Buffer.concat(leaves.map(({ hash }) => hash)),
      bytes.bytes,
      column(({ leaf }) => leaf.topic),
      column(({ leaf }) => leaf.partition),
      column(({ leaf }) => leaf.offset),
      column(({ leaf }) => leaf.source),
      column(({ leaf }) => leaf.id),
      column(({ kept }) => kept),
      bytes.starts,
      bytes.lengths,
      JSON.stringify(leaves.map(({ ids }) => ids)),
      column(({ leaf }) => leaf.topicId ?? null),
    ],
  );
  if (completed.length > 0) {
    tx.write(`INSERT INTO subtrees (level, index, hash) SELECT * FROM unnest($1::int[], $2::bigint[], $3::bytea[])`, [
      completed.map(({ level }) => level),
      completed.map(({ index }) => index),
      completed.map(({ hash }) => Buffer.from(hash)),
    ]);
  }
}

/** The tree's stored hashes, for proofs. */
export const treeReader =
  (read: Reader): TreeReader =>
  async (level, from, to) => {
    const rows =
      level === 0
        ? await read<{ hash: Buffer }>(
            'SELECT leaf_hash AS hash FROM leaves WHERE index >= $1 AND index < $2 ORDER BY index',
            [from, to],
          )
        : await read<{ hash: Buffer }>(
            'SELECT hash FROM subtrees WHERE level = $1 AND index >= $2 AND index < $3 ORDER BY index',
            [level, from, to],
          );
    return rows.map(({ hash }) => new Uint8Array(hash));
  };

/** The first `limit` checkpoints of a log that is larger than `after`, and no larger than `upTo`, oldest first. */
export const readCheckpoints = async (
  read: Reader,
  after: number,
  limit: number,
  upTo = Number.MAX_SAFE_INTEGER,
): Promise<SignedCheckpoint[]> =>
  (
    await read<CheckpointRow>(
      'SELECT size, note, at FROM checkpoints WHERE size > $1 AND size <= $3 ORDER BY size LIMIT $2',
      [after, limit, upTo],
    )
  ).map(checkpointOf);

/**
 * The first `size` leaves, and the checkpoints up to `signed` leaves, for an export. Before each page of leaves come the checkpoints that
 * sign up to these leaves, so that neither the service nor a verifier holds more in memory. Missing leaves hold no checkpoint back.
 */
export async function* readEntries(
  read: Reader,
  size: number,
  signed: number,
): AsyncGenerator<{ readonly notes: readonly string[] } | { readonly leaves: readonly ExportedLeaf[] }> {
  let after = beforeAll;
  const notesUpTo = async function* (upTo: number) {
    while (after < upTo) {
      const page = await readCheckpoints(read, after, mostCheckpoints, upTo);
      after = page.length < mostCheckpoints ? upTo : (page.at(-1)?.size ?? upTo);
      if (page.length > 0) yield { notes: page.map(({ note }) => note) };
    }
  };
  for await (const leaves of readLeaves(read, size)) {
    const last = leaves.at(-1);
    if (last) yield* notesUpTo(Math.min(last.index + 1, signed));
    yield { leaves };
  }
  yield* notesUpTo(signed);
}

/** The checkpoint of the largest size that was signed so far. */
export async function lastCheckpoint(read: Reader): Promise<SignedCheckpoint | undefined> {
  const rows = await read<CheckpointRow>('SELECT size, note, at FROM checkpoints ORDER BY size DESC LIMIT 1');
  return rows.map(checkpointOf)[0];
}

/** All columns of a leaf except its ids, which only serve to find it. */
const leafColumns = 'index, topic, partition, "offset", source, id, sha256, leaf_hash, kept, bytes, at, topic_id';

/** The leaf of one Kafka record. It is of the topic as it is now, unless `topicId` names an earlier topic of this name. */
export async function findLeaf(
  read: Reader,
  topic: string,
  partition: number,
  offset: string,
  topicId?: string,
): Promise<ExportedLeaf | undefined> {
  const rows = await read<LeafRow>(
    `SELECT ${leafColumns} FROM leaves WHERE topic = $1 AND partition = $2 AND "offset" = $3
       AND ($4::text IS NULL OR coalesce(topic_id, '') = $4) ORDER BY index DESC LIMIT 1`,
    [topic, partition, offset, topicId ?? null],
  );
  return rows.map(leafOf)[0];
}

/** The index of a leaf at this place whose kept bytes have this SHA-256, for any topic that had this name. */
export async function findLeafWith(
  read: Reader,
  topic: string,
  partition: number,
  offset: string,
  sha256: string,
): Promise<{ index: number; topicId: string | null } | undefined> {
  const rows = await read<{ index: number; topic_id: string | null }>(
    `SELECT index, topic_id FROM leaves WHERE topic = $1 AND partition = $2 AND "offset" = $3 AND sha256 = decode($4, 'hex')
     ORDER BY index LIMIT 1`,
    [topic, partition, offset, sha256],
  );
  return rows.map(({ index, topic_id }) => ({ index, topicId: topic_id }))[0];
}

/**
 * The rows of `leaves` in `order`, until the rows before have `most` bytes; then oldest first. A record may have a megabyte, and hundreds
 * are read together. The length of stored bytes is known without reading them.
 */
const untilBytes = (leaves: string, order: string, most: string): string => `
  SELECT ${leafColumns} FROM (
    SELECT ${leafColumns}, sum(coalesce(octet_length(bytes), 0)) OVER (ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (${leaves}) AS found
  ) AS sized WHERE coalesce(before, 0) < ${most} ORDER BY index`;

/** How many bytes of records are read at once, plus one record more. */
export const readBytes = 8_388_608;

/**
 * Leaves under any of these ids, oldest first: at most `limit`, and with at most `bytes` except for one leaf. The largest leaves are left
 * out, so that large records cannot hide what happened. All leaves are found before the oldest are taken: with an ordered query, the
 * planner would walk through the whole table until it has found enough.
 */
export async function findByIds(
  read: Reader,
  ids: readonly string[],
  limit: number,
  bytes = readBytes,
): Promise<ExportedLeaf[]> {
  const rows = await read<LeafRow>(
    `WITH found AS MATERIALIZED (
       SELECT DISTINCT index FROM unnest($1::text[]) AS asked(id) JOIN leaves ON ids @> jsonb_build_array(asked.id)
     )
     ${untilBytes(`SELECT ${leafColumns} FROM leaves WHERE index IN (SELECT index FROM found ORDER BY index LIMIT $2)`, 'coalesce(octet_length(bytes), 0), index', '$3')}`,
    [ids, limit, bytes],
  );
  return rows.map(leafOf);
}

const pageSize = 500;

/** The first `size` leaves in order, one page at a time. A page has at most `bytes`, not counting its last leaf. */
export async function* readLeaves(
  read: Reader,
  size: number,
  bytes = readBytes,
): AsyncGenerator<readonly ExportedLeaf[]> {
  for (let from = 0; from < size; ) {
    const rows = await read<LeafRow>(
      untilBytes(
        `SELECT ${leafColumns} FROM leaves WHERE index >= $1 AND index < $2 ORDER BY index LIMIT $3`,
        'index',
        '$4',
      ),
      [from, size, pageSize, bytes],
    );
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map(leafOf);
    from = last.index + 1;
  }
}

interface CheckpointRow {
  readonly size: number;
  readonly note: string;
  readonly at: Date;
}

interface LeafRow {
  readonly index: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly source: string | null;
  readonly id: string | null;
  readonly sha256: Buffer;
  readonly leaf_hash: Buffer;
  readonly kept: string;
  readonly bytes: Buffer | null;
  readonly at: Date;
  readonly topic_id: string | null;
}

const checkpointOf = ({ size, note, at }: CheckpointRow): SignedCheckpoint => ({ size, note, at: at.toISOString() });

function leafOf(row: LeafRow): ExportedLeaf {
  const leaf: Leaf = {
    topic: row.topic,
    partition: row.partition,
    offset: String(row.offset),
    ...(row.topic_id !== null && { topicId: row.topic_id }),
    source: row.source,
    id: row.id,
    sha256: new Uint8Array(row.sha256),
  };
  return {
    index: row.index,
    leaf,
    hash: new Uint8Array(row.leaf_hash),
    kept: row.kept,
    bytes: row.bytes && new Uint8Array(row.bytes),
    at: row.at.toISOString(),
  };
}
