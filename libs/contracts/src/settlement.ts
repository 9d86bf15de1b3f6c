import { ActionSettled } from './event-data.js';

/** The state of a permit after the settlements that counted so far. */
export type PermitState = 'issued' | ActionSettled['outcome'];

/**
 * The state of a permit after a settlement. Undefined: unchanged, because the settlement repeats or contradicts what is known. A
 * permit has one end. Settlements come at least once and in any order: `undone` may arrive before its `executed`, and what is
 * undone was done before.
 */
export function afterSettlement(
  state: PermitState,
  outcome: ActionSettled['outcome'],
): ActionSettled['outcome'] | undefined {
  switch (outcome) {
    case 'executed':
    case 'failed':
    case 'refused':
    case 'expired':
      return state === 'issued' || state === 'unresolved' ? outcome : undefined;
    case 'unresolved':
      return state === 'issued' ? outcome : undefined;
    case 'undone':
      return state === 'issued' || state === 'unresolved' || state === 'executed' ? outcome : undefined;
  }
}

/**
 * How many settlements of one executor may be stored until their approval is read. This is far more than an honest executor can be
 * ahead of the approvals: a service that is some minutes late with them loses none.
 */
export const mostWaitingSettlements = 100_000;

/** The ends of a permit after which its action has no effect: it did not happen, or was undone. */
export const cameToNothing = ['failed', 'refused', 'expired', 'undone'] as const satisfies readonly PermitState[];

const { options } = ActionSettled.shape.outcome;
/** Every outcome, with each outcome that may replace it. */
export const takesPlace: readonly (readonly [stands: string, comes: string])[] = options.flatMap((stands) =>
  options.filter((comes) => afterSettlement(stands, comes) !== undefined).map((comes) => [stands, comes] as const),
);

/** The same as rows of SQL, for a statement that overwrites the outcome that it finds: `(stands, comes) IN (…)`. */
export const takesPlaceRows: string = takesPlace.map(([stands, comes]) => `('${stands}', '${comes}')`).join(', ');
