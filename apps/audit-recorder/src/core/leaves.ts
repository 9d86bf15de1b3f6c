import { fromKafka, own } from '@countersign/contracts';
import { type Hash, type Leaf, leafHash, type StoredAs } from '@countersign/record';
import { idsOf } from './ids.js';
import { leafContent } from './leaf-content.js';
import type { KafkaFact } from './record.js';
import { plain } from './text.js';

/** A leaf with what is stored beside it. */
export interface NewLeaf {
  readonly leaf: Leaf;
  readonly hash: Hash;
  readonly kept: StoredAs;
  readonly bytes: Uint8Array;
  /** Every id for which somebody may ask and get this record. */
  readonly ids: readonly string[];
}

/** The leaf of a record. Every record has one: an unreadable record is on record too. */
export function leafOf(record: KafkaFact, commitmentKey: Uint8Array): NewLeaf {
  const { kept, bytes, sha256 } = leafContent(record, commitmentKey);
  const { source, id } = namesOf(record);
  const leaf: Leaf = {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    ...(record.topicId !== undefined && { topicId: record.topicId }),
    source,
    id,
    sha256,
  };
  const ids = record.event ? idsOf(record.event) : id === null ? [] : [id];
  return { leaf, hash: leafHash(leaf), kept, bytes, ids };
}

/** Source and id as the record states them, true or not. For a forgery they show whose name was used. */
function namesOf(record: KafkaFact): { source: string | null; id: string | null } {
  const read = record.event ?? enveloped(record);
  if (read) return { source: plain(read.source), id: plain(read.id) };
  const header = (name: string): string | null => {
    const value = own(record.headers, name);
    const first = Array.isArray(value) ? value[0] : value;
    const text = first?.toString();
    return text ? plain(text) : null;
  };
  return { source: header('ce_source'), id: header('ce_id') };
}

/** An event that its contract refuses may still be a well-formed CloudEvent, in structured mode too. */
function enveloped(record: KafkaFact) {
  const read = fromKafka(record);
  return read.ok ? read.event : undefined;
}
