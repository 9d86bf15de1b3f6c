import { createRequire } from 'node:module';

/** A record as kafkajs decodes it, with the members that transactions need. */
export interface DecodedRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
  /** If this is true for a record, kafkajs does not hand the record over, and continues after it. */
  isControlRecord?: boolean;
}

/** What a fetch returned for one partition. */
export interface DecodedPartition {
  abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: readonly DecodedRecord[];
}

/** The key of a transaction's marker: a version, then 0 if the transaction was aborted, each of two bytes. */
const isAbort = ({ key }: DecodedRecord): boolean => key !== null && key.length >= 4 && key.readInt16BE(2) === 0;

/**
 * Marks aborted records, so that they are not handed over, by the same rule as Kafka's own client: a transaction is aborted from
 * its first offset to its own marker, and several may be open at once.
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
  // Otherwise kafkajs would look again, with its wrong rule.
  partition.abortedTransactions = [];
}

interface FetchResponse {
  decode(
    raw: unknown,
  ): Promise<{ readonly responses: readonly { readonly partitions: readonly DecodedPartition[] }[] }>;
}

/**
 * Prevents kafkajs 2.2.4 from handing over records of aborted transactions. kafkajs makes three mistakes: it takes the order in
 * which transactions end for the order in which they begin, it handles only one transaction for each record, and it takes any key
 * of four zero bytes for a marker. So it hands over aborted records as committed, if transactions overlap or if a record comes
 * after such a key.
 */
export function committedOnly(): void {
  const load = createRequire(import.meta.url);
  // Version 4 is the first that names aborted transactions; 11 is the last that kafkajs speaks.
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
