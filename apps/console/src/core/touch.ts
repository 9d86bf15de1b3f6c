import type { Settlement, Verdict } from './project.js';

/**
 * How far an action got that names a person: it waits for a reviewer; nobody answered in time; refused; another took its place; approved
 * and not run yet; or as its executor settled it.
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
  /** Of the executor that its approval names. */
  readonly settled: Settlement['outcome'] | undefined;
}

/** What became of an action. The executor's word comes after the validator's. */
export function touchState({ verdict, settled }: Touch): TouchState {
  if (!verdict) return 'waiting';
  if (verdict.supersededBy !== null) return 'replaced';
  if (verdict.outcome === 'refused')
    return verdict.reasons.some(({ rule }) => rule === 'review-deadline') ? 'expired-review' : 'refused';
  if (settled === undefined) return 'approved';
  return settled === 'refused' ? 'refused-late' : settled;
}
