import { createRequire } from 'node:module';

/** A record as kafkajs decodes it, as far as transactions go. */
export interface DecodedRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
  /** kafkajs hands over no record of which this is true, and goes on behind it. */
  isControlRecord?: boolean;
}

/** What a fetch brought of one partition. */
export interface DecodedPartition {
  abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: readonly DecodedRecord[];
}

/** The key of a transaction's marker: a version, then 0 where it was aborted, each of two bytes. */
const isAbort = ({ key }: DecodedRecord): boolean => key !== null && key.length >= 4 && key.readInt16BE(2) === 0;

/**
 * Marks what was aborted as something that is not handed over, as Kafka's own client finds it: a transaction is aborted from its
 * first offset to its own marker, and several may be open at once.
 */
export function markAborted(partition: DecodedPartition): void {
  const to = [...(partition.abortedTransactions ?? [])].sort((a, b) =>
    BigInt(a.firstOffset) < BigInt(b.firstOffset) ? -1 : 1,
  );
  const aborted = new Set<string>();
  let begun = 0;
  for (const record of partition.messages) {
    for (let next = to[begun]; next && BigInt(next.firstOffset) <= BigInt(record.offset); next = to[++begun])
      aborted.add(next.producerId);
    const { producerId, inTransaction } = record.batchContext ?? { producerId: '', inTransaction: false };
    if (record.isControlRecord) {
      if (isAbort(record)) aborted.delete(producerId);
    } else if (inTransaction && aborted.has(producerId)) record.isControlRecord = true;
  }
  // kafkajs would look again, and by what is wrong.
  partition.abortedTransactions = [];
}

interface FetchResponse {
  decode(
    raw: unknown,
  ): Promise<{ readonly responses: readonly { readonly partitions: readonly DecodedPartition[] }[] }>;
}

/**
 * Keeps kafkajs 2.2.4 from handing over records of aborted transactions. It takes the transactions in the order of their ends as
 * that of their beginnings, only one a record, and any key of four zero bytes for a marker: what one of several that overlap wrote, or
 * comes behind such a key, is handed over as if it had been committed.
 */
export function committedOnly(): void {
  const load = createRequire(import.meta.url);
  // Version 4 is the first that names aborted transactions, 11 the last that kafkajs speaks.
  for (let version = 4; version <= 11; version++) {
    const response = load(`kafkajs/src/protocol/requests/fetch/v${version}/response.js`) as FetchResponse;
    const decode = response.decode;
    response.decode = async (raw) => {
      const decoded = await decode(raw);
      for (const { partitions } of decoded.responses) for (const partition of partitions) markAborted(partition);
      return decoded;
    };
  }
}
