import type { Fault } from '@countersign/contracts';

/** A value that a connected system shows before or after an effect. Never personal data: it goes into the settlement. */
export type Shown = Readonly<Record<string, unknown>>;

/** What a connected system answers for good under one idempotency key. */
export type Answer =
  | { readonly outcome: 'done'; readonly externalReference: string; readonly before?: Shown; readonly after?: Shown }
  | { readonly outcome: 'rejected'; readonly reason: Fault };

/** No answer, or one that settles nothing: the effect may be there or not, now or later. */
export interface Unknown {
  readonly outcome: 'unknown';
  readonly says: string;
}

/** What asking for a key brings back. */
export type Found = Answer | Unknown | { readonly outcome: 'absent' };

export const rejected = (code: string, says: string): Answer => ({ outcome: 'rejected', reason: { code, says } });
export const unknown = (says: string): Unknown => ({ outcome: 'unknown', says });
