import { ActionSettled } from './event-data.js';

/** Where a permit stands by the settlements that counted so far. */
export type PermitState = 'issued' | ActionSettled['outcome'];

/**
 * Where a permit stands after a settlement; undefined: where it stood, since the settlement repeats or contradicts what is known.
 * A permit has one end. Settlements come at least once and in any order: `undone` may overtake its `executed`, what is undone was done
 * before.
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
 * Settlements of one executor that may wait where they are kept until their approval is read. Far more than an honest one is ahead of the
 * approvals: a service that is some minutes behind with them loses none.
 */
export const mostWaitingSettlements = 100_000;

/** The ends of a permit after which nothing of its action stands: it did not happen, or was taken back. */
export const cameToNothing = ['failed', 'refused', 'expired', 'undone'] as const satisfies readonly PermitState[];

const { options } = ActionSettled.shape.outcome;
/** Every outcome that stands, with each that takes its place. */
export const takesPlace: readonly (readonly [stands: string, comes: string])[] = options.flatMap((stands) =>
  options.filter((comes) => afterSettlement(stands, comes) !== undefined).map((comes) => [stands, comes] as const),
);

/** The same as rows of SQL, for a statement that writes over the outcome it finds: `(stands, comes) IN (…)`. */
export const takesPlaceRows: string = takesPlace.map(([stands, comes]) => `('${stands}', '${comes}')`).join(', ');
