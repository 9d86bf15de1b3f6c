import { createPublicKey } from 'node:crypto';
import { Remark, RevealKey, revealFields, revealPurposes, withoutAddresses } from '@countersign/contracts';
import { z } from 'zod';
import { type Problem, problem } from './problem.js';

/** How long a request waits for its answer, and how long the answer is kept for whoever asked, in milliseconds. */
export const revealMs = 120_000;

const isOnCurve = (key: RevealKey): boolean => {
  try {
    createPublicKey({ format: 'jwk', key });
    return true;
  } catch {
    return false;
  }
};

/** What somebody sends who asks for the name or the address of a person. */
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
  publicKey: RevealKey.strict().refine(isOnCurve, 'a point on P-256 is expected, as WebCrypto exports it'),
});
export type RevealRequest = z.infer<typeof RevealRequest>;

/** Where a reveal stands. `unanswered`: signal-ingestion did not answer while somebody waited. */
export const revealStates = ['waiting', 'sealed', 'refused', 'unanswered'] as const;
export type RevealState = (typeof revealStates)[number];

export const stateOf = (
  { outcome, expiresAt }: { readonly outcome: 'sealed' | 'refused' | null; readonly expiresAt: string },
  at: string,
): RevealState => outcome ?? (expiresAt > at ? 'waiting' : 'unanswered');

/** The full hour that a time is in: what is asked is counted by it. */
export const hourOf = (at: string): string => `${at.slice(0, 13)}:00:00.000Z`;

export const tooManyReveals = (person: string, most: number, at: string): Problem =>
  problem(
    429,
    'Too many reveals',
    `${person} has asked ${most} times since ${hourOf(at)}, which is as often as one person may within an hour; nothing was asked. Ask again in the next hour, or let a colleague ask`,
  );
