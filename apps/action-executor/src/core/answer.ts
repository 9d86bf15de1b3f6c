import { type Fault, plainText } from '@countersign/contracts';

/** A value that a connected system shows before or after an effect. Never personal data: it goes into the settlement. */
export type Shown = Readonly<Record<string, unknown>>;

/** A definite answer of a connected system for one idempotency key. */
export type Answer =
  | {
      readonly outcome: 'done';
      readonly externalReference: string;
      /** What it cost, if the system reports it: minor units, in the currency of the action. A positive safe integer. */
      readonly spentMinor?: number;
      readonly before?: Shown;
      readonly after?: Shown;
    }
  | { readonly outcome: 'rejected'; readonly reason: Fault };

/** No answer, or an answer that settles nothing. The effect may exist or not, now or later. */
export interface Unknown {
  readonly outcome: 'unknown';
  readonly detail: string;
  /** No part of this call was sent, and none will be: it cannot have an effect. */
  readonly unsent?: true;
  /** There was no answer at all: the system was not reached, did not answer in time, or broke off. */
  readonly silent?: true;
  /** The system was never asked, so this says nothing about the system. */
  readonly unasked?: true;
}

/** A connector throws this if it is certain that no part of the call was sent, and none will be. */
export class NotSent extends Error {}

/** A connector throws this if it could not write what it would send. The system is not the cause. */
export class NotWritten extends NotSent {}

/** The result of a question for a key. */
export type Found = Answer | Unknown | { readonly outcome: 'absent' };

export const rejected = (code: string, detail: string): Answer => ({ outcome: 'rejected', reason: { code, detail } });
export const unknown = (detail: string): Unknown => ({ outcome: 'unknown', detail });

/**
 * An answer that can be stored, whatever a connected system put into it. Texts are made plain and cut to the settlement's
 * lengths. Values with a character that `jsonb` refuses are left out. Otherwise such an answer would never settle.
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
