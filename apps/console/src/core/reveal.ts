import { createPublicKey } from 'node:crypto';
import { derivedId, Remark, RevealKey, revealFields, revealPurposes, withoutAddresses } from '@countersign/contracts';
import { z } from 'zod';
import { type Problem, problem } from './problem.js';
import { seen } from './seen.js';

/** How long a request waits for its answer, and how long the answer is stored for the person who asked, in milliseconds. */
export const revealMs = 120_000;

const isOnCurve = (key: RevealKey): boolean => {
  try {
    createPublicKey({ format: 'jwk', key });
    return true;
  } catch {
    return false;
  }
};

/** The request for the name or the address of a person. */
export const RevealRequest = z.strictObject({
  fields: z
    .array(z.enum(revealFields))
    .min(1)
    .max(revealFields.length)
    .transform((fields) => revealFields.filter((field) => fields.includes(field))),
  purpose: z.enum(revealPurposes),
  note: Remark(200)
    .pipe(z.string().min(1, 'name the case, such as the number of the request, for whoever reads the record'))
    .refine((note) => withoutAddresses(note, '') === note, 'no addresses here: the note stays on the record'),
  ...seen,
  publicKey: RevealKey.strict().refine(isOnCurve, 'a point on P-256 is expected, as WebCrypto exports it'),
});
export type RevealRequest = z.infer<typeof RevealRequest>;

/** The state of a reveal. `unanswered`: signal-ingestion did not answer in time. */
export const revealStates = ['waiting', 'sealed', 'refused', 'unanswered'] as const;
export type RevealState = (typeof revealStates)[number];

export const stateOf = (
  { outcome, expiresAt }: { readonly outcome: 'sealed' | 'refused' | null; readonly expiresAt: string },
  at: string,
): RevealState => outcome ?? (expiresAt > at ? 'waiting' : 'unanswered');

/** A request, or the answer to one, with the id under which it is stored. */
export type OfRequest<T> = T & { readonly requestId: string };

/**
 * The id under which a request is stored, from the event of the request. The writer of that event chooses its id, which may be no
 * UUID.
 */
export const requestIdOf = (eventId: string): string => derivedId('reveal-request', eventId);

/** Requests are counted over the last hour, in milliseconds, from any minute on. */
export const hourMs = 3_600_000;

/** `again`: when the next request is allowed. */
export const tooManyReveals = (
  person: string,
  most: number,
  again: string,
  at: string,
): Problem & { retryAfter: number } => ({
  ...problem(
    429,
    'Too many reveals',
    most === 0
      ? 'REVEALS_PER_HOUR is 0, so nobody may ask for a name or an address here; this request was not sent'
      : `${person} has asked ${most} times within the last hour, which is the limit for one person; this request was not sent. Ask again at ${again}, or let a colleague ask`,
  ),
  retryAfter: Math.max(1, Math.ceil((Date.parse(again) - Date.parse(at)) / 1_000)),
});
