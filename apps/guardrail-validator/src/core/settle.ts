import { type ActionSettled, afterSettlement, type PermitState } from '@countersign/contracts';

/** What happens to a reservation. */
export type Move = 'commit' | 'release';

export interface Settled {
  readonly state: PermitState;
  /** For money; undefined: it stays. */
  readonly money?: Move;
  /** For counts: a touch that happened stays a touch. */
  readonly counts?: Move;
}

/**
 * What a settlement does to a permit; undefined: nothing. `unresolved` holds the reservation until another settlement; `undone`
 * returns only the money.
 */
export function settle(before: PermitState, outcome: ActionSettled['outcome']): Settled | undefined {
  const state = afterSettlement(before, outcome);
  switch (state) {
    case undefined:
      return undefined;
    case 'executed':
      return { state, money: 'commit', counts: 'commit' };
    case 'failed':
    case 'refused':
    case 'expired':
      return { state, money: 'release', counts: 'release' };
    case 'unresolved':
      return { state };
    case 'undone':
      return { state, money: 'release', ...(before !== 'executed' && { counts: 'commit' }) };
  }
}
