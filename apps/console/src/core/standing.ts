import type { Step } from './play-words.js';

/** How many runs stand at a step now; for how many of these a person has to act; and how many are past their time. */
export interface Standing {
  readonly here: number;
  readonly waits: number;
  readonly late: number;
}

/** The step at which runs stand. Only a task has an agent and a purpose. */
export interface Place extends Standing {
  readonly step: 'checkpoint' | 'task' | 'proposals';
  readonly agent: string | null;
  readonly purpose: string | null;
}

const nobody: Standing = { here: 0, waits: 0, late: 0 };
const nameOf = (step: string, agent: string | null = null, purpose: string | null = null): string =>
  JSON.stringify([step, agent, purpose]);

/**
 * The steps of a play with the runs that stand there. `elsewhere`: runs at steps that the play no longer has, because the policy has
 * changed since they started.
 */
export function withRuns(
  steps: readonly Step[],
  places: readonly Place[],
): { readonly steps: readonly (Step & { readonly runs?: Standing })[]; readonly elsewhere: Standing } {
  const left = new Map(places.map((place) => [nameOf(place.step, place.agent, place.purpose), place]));
  const standing = (step: Step): Standing | undefined => {
    if (step.kind === 'trigger' || step.kind === 'cool-down') return undefined;
    const name = step.kind === 'task' ? nameOf(step.kind, step.agent, step.title) : nameOf(step.kind);
    const found = left.get(name);
    left.delete(name);
    return found ? counts(found) : nobody;
  };
  const drawn = steps.map((step) => {
    const runs = standing(step);
    return { ...step, ...(runs && { runs }) };
  });
  const elsewhere = [...left.values()].reduce(
    (sum, { here, waits, late }) => ({ here: sum.here + here, waits: sum.waits + waits, late: sum.late + late }),
    nobody,
  );
  return { steps: drawn, elsewhere };
}

const counts = ({ here, waits, late }: Standing): Standing => ({ here, waits, late });
