import type { ActionApproved, ActionSettled } from '@countersign/contracts';

/** What was approved of a proposal: whose settlement of which bytes counts. */
export interface Permit extends Pick<ActionApproved, 'permitId' | 'executor' | 'digest'> {
  /** False: no approval was read; it is what the settlement says that was taken before approvals were. */
  readonly approved: boolean;
}

/** Why a settlement is not of a permit; undefined where it is. */
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
