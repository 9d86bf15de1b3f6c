import { Action, Instant, Uuid } from '@countersign/contracts';
import { z } from 'zod';
import { proposalStates } from './proposal-state.js';

/** What the page of proposals answers, for the OpenAPI document. The harness of the tests compares each answer with it. */
export const ProposalsAnswer = z.object({
  proposals: z.array(
    z.object({
      proposalId: Uuid,
      taskId: Uuid,
      play: z.object({ id: z.string(), runId: Uuid, title: z.string() }).nullable(),
      kind: z.string(),
      action: Action,
      planner: z.object({ kind: z.enum(['rules', 'model']), name: z.string(), fallback: z.string().optional() }),
      state: z.enum(proposalStates),
      outcome: z.record(z.string(), z.unknown()).nullable(),
      proposedAt: Instant,
      changedAt: Instant,
    }),
  ),
});
