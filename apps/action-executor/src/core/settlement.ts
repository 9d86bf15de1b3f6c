import {
  type ActionApproved,
  type ActionSettled,
  actionKey,
  type PermitRejected,
  type SettlementDecided,
} from '@countersign/contracts';
import type { End } from './permit-machine.js';

/** The key of a settlement: the key of the proposal, so that all events about one action are in order. */
export const settledKey = (approval: ActionApproved): string => actionKey(approval.action);

/** The end of an approval's permit, as an event's data. */
export function settlementOf(approval: ActionApproved, end: End, at: string): ActionSettled {
  const { permitId, actionId, proposalId, digest, executor, connector } = approval;
  return { permitId, actionId, proposalId, digest, executor, connector, ...end, at };
}

/** The end that a person decided. The person's note stays in their own event. */
export const decidedEnd = ({ outcome, by }: SettlementDecided): End => ({
  outcome,
  reason: { code: 'decided', detail: `${by} decided it, since nobody else could tell` },
});

/** A permit that settles nothing, as an event's data. The contents of the approval are quoted, not trusted. */
export function rejectionOf(
  approval: ActionApproved,
  place: Pick<PermitRejected, 'topic' | 'partition' | 'offset'>,
  reason: PermitRejected['reason'],
  at: string,
): PermitRejected {
  const { permitId, proposalId, executor } = approval;
  const { topic, partition, offset } = place;
  return { permitId, proposalId, executor, reason, topic, partition, offset, at };
}
