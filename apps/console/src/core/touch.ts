import type { Settlement, Verdict } from './project.js';

/**
 * How far an action that names a person has come: it waits for a reviewer; nobody answered in time; refused; replaced by another;
 * approved and not run yet; or as its executor settled it.
 */
export const touchStates = [
  'waiting',
  'expired-review',
  'refused',
  'replaced',
  'approved',
  'executed',
  'failed',
  'refused-late',
  'expired',
  'unresolved',
  'undone',
] as const;
export type TouchState = (typeof touchStates)[number];

export interface Touch {
  readonly verdict: Pick<Verdict, 'outcome' | 'supersededBy' | 'reasons'> | undefined;
  /** By the executor that its approval names. */
  readonly settled: Settlement['outcome'] | undefined;
}

/** The outcome of an action. The executor's settlement counts more than the validator's verdict. */
export function touchState({ verdict, settled }: Touch): TouchState {
  if (!verdict) return 'waiting';
  if (verdict.supersededBy !== null) return 'replaced';
  if (verdict.outcome === 'refused')
    return verdict.reasons.some(({ rule }) => rule === 'review-deadline') ? 'expired-review' : 'refused';
  if (settled === undefined) return 'approved';
  return settled === 'refused' ? 'refused-late' : settled;
}
