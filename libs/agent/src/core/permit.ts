import type { ActionApproved, ActionSettled } from '@countersign/contracts';

/** The approval of a proposal. It decides which executor's settlement counts, and for which bytes. */
export interface Permit extends Pick<ActionApproved, 'permitId' | 'executor' | 'digest'> {
  /** False: no approval was read. Then this comes from a settlement that was accepted before approvals were read. */
  readonly approved: boolean;
}

/** Why a settlement does not belong to a permit; undefined if it does. */
export function notOf(
  permit: Pick<Permit, 'permitId' | 'executor' | 'digest'>,
  { permitId, executor, digest }: Pick<ActionSettled, 'permitId' | 'executor' | 'digest'>,
): string | undefined {
  if (permit.executor !== executor) return 'not its executor';
  if (permit.permitId !== permitId) return 'it is of another permit';
  return permit.digest === digest ? undefined : 'it is of other bytes';
}

/** Whether a settlement counts, waits for the approval of its proposal, or is set aside, and why. */
export function weigh(
  permit: Permit | undefined,
  settled: ActionSettled,
): { readonly detail: 'counts' | 'waits' } | { readonly detail: 'set aside'; readonly reason: string } {
  const reason = permit ? notOf(permit, settled) : 'nothing is approved';
  if (reason === undefined) return { detail: 'counts' };
  return permit?.approved ? { detail: 'set aside', reason } : { detail: 'waits' };
}
