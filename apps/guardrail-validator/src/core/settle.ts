import type { ActionSettled } from '@countersign/contracts';

/** Where a permit stands by the settlements that counted so far. */
export type PermitState = 'issued' | ActionSettled['outcome'];

/** What becomes of a reservation. */
export type Move = 'commit' | 'release';

export interface Settled {
  readonly state: PermitState;
  /** Of money; undefined: stays as it is. */
  readonly money?: Move;
  /** Of counts: a touch that happened stays a touch. */
  readonly counts?: Move;
}

/**
 * What a settlement does to a permit; undefined: nothing, it repeats or contradicts what is known. Settlements come at least
 * once and in any order. `unresolved` holds until another one decides; `undone` returns money only.
 */
export function settle(state: PermitState, outcome: ActionSettled['outcome']): Settled | undefined {
  const open = state === 'issued' || state === 'unresolved';
  switch (outcome) {
    case 'executed':
      return open ? { state: 'executed', money: 'commit', counts: 'commit' } : undefined;
    case 'failed':
    case 'refused':
    case 'expired':
      return open ? { state: outcome, money: 'release', counts: 'release' } : undefined;
    case 'unresolved':
      return state === 'issued' ? { state: 'unresolved' } : undefined;
    case 'undone':
      if (state === 'executed') return { state: 'undone', money: 'release' };
      // It overtook its `executed`: what is undone was done before.
      return open ? { state: 'undone', money: 'release', counts: 'commit' } : undefined;
  }
}
