import { fromKafka, readEvent, type Topic } from '@countersign/contracts';
import { type ExportedLeaf, readEventBytes } from '@countersign/record';
import type { Recorded } from './story.js';

/** A stored leaf as a story needs it: its event, read again from the bytes on record with the present contracts. */
export function readBack(stored: ExportedLeaf, topics: readonly Topic[]): Recorded {
  const { index, leaf, kept, at, bytes } = stored;
  const { topic, partition, offset, source, id } = leaf;
  const sha256 = Buffer.from(leaf.sha256).toString('hex');
  const recorded = { index, at, topic, partition, offset, source, id, sha256, kept };
  if (kept !== 'event' || !bytes) return recorded;
  const { key, headers, value } = readEventBytes(bytes);
  const record = {
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers: Object.fromEntries(headers.flatMap(([name, text]) => (text === null ? [] : [[name, Buffer.from(text)]]))),
  };
  const known = topics.find(({ name }) => name === topic);
  // A topic that is no longer in the topology, for example of a removed source, has no contract.
  const read = known ? readEvent(known, record) : fromKafka(record);
  return read.ok ? { ...recorded, event: read.event } : { ...recorded, fault: read.fault };
}
