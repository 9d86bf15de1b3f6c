import { type ActionSettled, afterSettlement, type PermitState } from '@countersign/contracts';

/**
 * The outcome of a proposal. `not-run`: approved, then refused by the executor. `unsettled`: nothing was received about it in the
 * time in which it must have ended.
 */
export const proposalStates = [
  'proposed',
  'refused',
  'executed',
  'failed',
  'not-run',
  'expired',
  'unresolved',
  'undone',
  'unsettled',
] as const;
export type ProposalState = (typeof proposalStates)[number];

/**
 * The state of a proposal after a settlement by its executor. Undefined: the state is unchanged, because its permit already has
 * another end. A refusal may concern the action that a person's edit replaced, and `unsettled` was set by the agent itself. So
 * neither is the end of a permit.
 */
export function afterSettled(before: ProposalState, outcome: ActionSettled['outcome']): ProposalState | undefined {
  const after = afterSettlement(permitState(before), outcome);
  return after === 'refused' ? 'not-run' : after;
}

function permitState(state: ProposalState): PermitState {
  switch (state) {
    case 'proposed':
    case 'refused':
    case 'unsettled':
      return 'issued';
    case 'not-run':
      return 'refused';
    case 'executed':
    case 'failed':
    case 'expired':
    case 'unresolved':
    case 'undone':
      return state;
  }
}
