import { createHash } from 'node:crypto';
import { type DataOf, topics } from '@countersign/contracts';
import type { KafkaFact } from './record.js';

/** How long a pass is good for at most, in milliseconds, whatever its event says. */
export const longestPassMs = 600_000;
/** How often the whole record is given for one pass: a download that broke off may be tried again. */
export const mostUses = 3;
/** The one role of whoever has a pass. It opens the export, and nothing else of the record. */
export const passRole = 'pass';

/** A permission to read the whole record, until it ends. */
export interface Pass {
  readonly passId: string;
  readonly secretSha256: string;
  readonly by: string;
  readonly expiresAt: string;
}

/** Whether a token can be the secret of a pass, 256 bits in base64url: nothing else is looked up. */
export const couldBePassSecret = (token: string): boolean => /^[\w-]{43}$/.test(token);
export const sha256Of = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** The passes that records ask for and that are not over. A pass lasts no longer than `longestPassMs` after it was read. */
export function passesIn(records: readonly KafkaFact[], at: string): Pass[] {
  const latest = new Date(Date.parse(at) + longestPassMs).toISOString();
  return records.flatMap(({ topic, event }) => {
    if (topic !== topics.recordPasses.name || event?.type !== 'RecordPassRequested') return [];
    const { passId, secretSha256, by, expiresAt } = event.data as DataOf<'RecordPassRequested'>;
    return expiresAt > at ? [{ passId, secretSha256, by, expiresAt: sooner(expiresAt, latest) }] : [];
  });
}

const sooner = (a: string, b: string): string => (a < b ? a : b);
