import { Remark } from '@countersign/contracts';
import { z } from 'zod';
import { type Problem, problem } from './problem.js';
import { seen } from './seen.js';

export const ReplayRequest = z.strictObject({
  /** What has changed, so that it can be handled now. The note stays on the record. */
  note: Remark(1000).pipe(z.string().min(1, 'say what has changed, for whoever reads the record')),
  ...seen,
});
export type ReplayRequest = z.infer<typeof ReplayRequest>;

/**
 * The state of a dead letter: nobody has ordered anything; ordered, and the service has not reported the outcome; handled; its
 * job scheduled again; failed again.
 */
export const letterStates = ['open', 'ordered', 'handled', 'scheduled', 'failed-again'] as const;
export type LetterState = (typeof letterStates)[number];

/** Whether somebody has to do something about it: nothing was ordered, or what was ordered failed. */
export const waits = (state: LetterState): boolean => state === 'open' || state === 'failed-again';

/** Also for a letter of another installation: this console has not read it. */
export const noSuchLetter = (id: string): Problem =>
  problem(
    404,
    'No such dead letter',
    `no service of this installation has told of a dead letter ${id}; GET /v1/dead-letters lists what there is`,
  );
