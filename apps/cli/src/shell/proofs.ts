import { Failure, type Session } from '@countersign/client';
import { Misused } from '@countersign/client/core';
import { parseVerifierKey, type VerifierKey } from '@countersign/record';
import {
  type Checked,
  type Consistency,
  checkedCheckpoint,
  checkedEvent,
  digestOf,
  type Inclusion,
  type StoredEvent,
} from '../core/proof.js';

/** The key that must have signed the record, and whether it comes from a source other than the console that is asked. */
export async function recordKeyOf(
  s: Session,
  given: string | undefined,
): Promise<VerifierKey & { readonly knownBefore: boolean }> {
  const known = given ?? s.installation.recordKey;
  const text = known ?? (await s.console.get<{ key: string | null }>('/v1/record')).key;
  if (text === null) throw new Failure(2, 'no key to check with: give --key, or run this where `npm start` runs');
  try {
    return { ...parseVerifierKey(text.trim()), knownBefore: known !== undefined };
  } catch {
    throw new Misused('--key: a verifier key such as name+1a2b3c4d+AbCd… is expected');
  }
}

/** The event of a step; undefined if the console no longer has its bytes. */
export async function eventOf(
  s: Session,
  { id, provable }: { readonly id: string | number; readonly provable: boolean },
): Promise<StoredEvent | undefined> {
  return provable ? s.console.get<StoredEvent>(`/v1/events/${encodeURIComponent(id)}/record`) : undefined;
}

/**
 * Whether the record holds a step of a story. The console gives the step's bytes, the record gives the proof, and this computer checks
 * it.
 */
export async function proofOf(
  s: Session,
  step: { readonly id: string | number; readonly provable: boolean },
  key: VerifierKey,
): Promise<Checked> {
  const event = await eventOf(s, step);
  if (event === undefined) return { state: 'forgotten' };
  const { topic, partition, offset } = event;
  const query = new URLSearchParams({ topic, partition: String(partition), offset, sha256: digestOf(event) });
  return asked(async () => checkedEvent(event, await s.audit.get<Inclusion>(`/v1/proofs/inclusion?${query}`), key));
}

/** Whether the record still begins with the log that a checkpoint signed. */
export const consistencyOf = (
  s: Session,
  { size, note }: { readonly size: number; readonly note: string },
  key: VerifierKey,
): Promise<Checked> =>
  asked(async () =>
    checkedCheckpoint(note, await s.audit.get<Consistency>(`/v1/proofs/consistency?from=${size}`), key),
  );

async function asked(ask: () => Promise<Checked>): Promise<Checked> {
  try {
    return await ask();
  } catch (error) {
    const { status } = ((error as Failure).problem ?? {}) as { status?: number };
    if (status === 404) return { state: 'not-on-record' };
    if (status === 409) return { state: 'not-signed-yet' };
    throw error;
  }
}
