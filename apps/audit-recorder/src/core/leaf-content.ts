import { createHmac } from 'node:crypto';
import { topics } from '@countersign/contracts';
import { eventBytes, type StoredAs, sha256 } from '@countersign/record';
import type { KafkaFact } from './record.js';

/** What a leaf's hash is taken over, and what is stored of the event. */
export interface LeafContent {
  readonly kept: StoredAs;
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
}

/**
 * What of a topic stays on record. An inbound signal may hold a name or an address, contact points and what is revealed do, sealed
 * for somebody else; all others carry no direct identifier and are kept whole.
 */
export const storedAs = (topic: string): 'event' | 'commitment' =>
  topic.startsWith('signals.inbound.') || sealed.has(topic) ? 'commitment' : 'event';

const sealed: ReadonlySet<string> = new Set([topics.contactPoints.name, topics.revealsSealed.name]);

/**
 * Whole bytes, or in their place HMAC-SHA-256 of them under the recorder's key: whoever has event and key can show that it
 * is the one on record, and nobody can find it by trying likely contents. The leaf then names the commitment's digest, so a
 * plain digest of the event is stored nowhere.
 */
export function leafContent(record: KafkaFact, commitmentKey: Uint8Array): LeafContent {
  const form = storedAs(record.topic);
  const whole = eventBytes(record);
  const bytes = form === 'event' ? whole : new Uint8Array(createHmac('sha256', commitmentKey).update(whole).digest());
  return { kept: form, bytes, sha256: sha256(bytes) };
}
