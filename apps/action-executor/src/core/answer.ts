import { type Fault, plainText } from '@countersign/contracts';

/** A value that a connected system shows before or after an effect. Never personal data: it goes into the settlement. */
export type Shown = Readonly<Record<string, unknown>>;

/** What a connected system answers for good under one idempotency key. */
export type Answer =
  | {
      readonly outcome: 'done';
      readonly externalReference: string;
      /** What it cost, where the system says so: minor units, in the currency of the action. A positive safe integer. */
      readonly spentMinor?: number;
      readonly before?: Shown;
      readonly after?: Shown;
    }
  | { readonly outcome: 'rejected'; readonly reason: Fault };

/** No answer, or one that settles nothing: the effect may be there or not, now or later. */
export interface Unknown {
  readonly outcome: 'unknown';
  readonly detail: string;
  /** Nothing of this call has left, and nothing will: it cannot have an effect. */
  readonly unsent?: true;
  /** There was no answer at all: the system was not reached, said nothing in time, or broke off. */
  readonly silent?: true;
  /** The system was never asked: it says nothing about the system. */
  readonly unasked?: true;
}

/** Thrown by a connector that knows for certain that nothing of the call has left, and nothing will. */
export class NotSent extends Error {}

/** Thrown by a connector that could not write what it would send: its system had no part in it. */
export class NotWritten extends NotSent {}

/** What asking for a key brings back. */
export type Found = Answer | Unknown | { readonly outcome: 'absent' };

export const rejected = (code: string, detail: string): Answer => ({ outcome: 'rejected', reason: { code, detail } });
export const unknown = (detail: string): Unknown => ({ outcome: 'unknown', detail });

/**
 * An answer as it can be written down, whatever a connected system put into it: texts plain and cut to the settlement's
 * lengths, values left out that hold a character which `jsonb` refuses. Otherwise such an answer would never settle.
 */
export function settleable(answer: Answer): Answer {
  if (answer.outcome === 'rejected') {
    const { code, detail } = answer.reason;
    return { outcome: 'rejected', reason: { code: plainText(code, 80), detail: plainText(detail, 1000) } };
  }
  const { before, after, externalReference, spentMinor } = answer;
  return {
    outcome: 'done',
    externalReference: plainText(externalReference, 300),
    ...(spentMinor !== undefined && { spentMinor }),
    ...(before && fits(before) && { before }),
    ...(after && fits(after) && { after }),
  };
}

const fits = (value: Shown): boolean => !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(JSON.stringify(value));
