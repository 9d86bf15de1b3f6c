import { createHmac } from 'node:crypto';
import { topics } from '@countersign/contracts';
import { eventBytes, type StoredAs, sha256 } from '@countersign/record';
import type { KafkaFact } from './record.js';

/** What a leaf's hash covers, and what is stored of the event. */
export interface LeafContent {
  readonly kept: StoredAs;
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
}

/**
 * Whether a topic's events are stored whole or as a commitment. An inbound signal may hold a name or an address. Contact points
 * and revealed data hold them, sealed for other readers. All other events carry no direct identifier and are stored whole.
 */
export const storedAs = (topic: string): 'event' | 'commitment' =>
  topic.startsWith('signals.inbound.') || sealed.has(topic) ? 'commitment' : 'event';

const sealed: ReadonlySet<string> = new Set([topics.contactPoints.name, topics.revealsSealed.name]);

/**
 * The whole bytes, or HMAC-SHA-256 of them under the recorder's key. With the event and the key anybody can show that this event
 * is on record, and nobody can find it by trying likely contents. The leaf then names the commitment's digest, so a plain digest
 * of the event is stored nowhere.
 */
export function leafContent(record: KafkaFact, commitmentKey: Uint8Array): LeafContent {
  const form = storedAs(record.topic);
  const whole = eventBytes(record);
  const bytes = form === 'event' ? whole : new Uint8Array(createHmac('sha256', commitmentKey).update(whole).digest());
  return { kept: form, bytes, sha256: sha256(bytes) };
}
