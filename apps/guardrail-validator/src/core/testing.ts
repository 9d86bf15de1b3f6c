import type { ActionProposed } from '@countersign/contracts';
import { at, proposalOf } from '@countersign/gate/testing';

/** A whole proposal as an agent publishes it; `n` tells several of a kind apart. */
export const proposed = (
  kind: string,
  payload: Record<string, unknown> = {},
  n = 1,
  change: Partial<ActionProposed> = {},
): ActionProposed => ({
  ...proposalOf(kind, payload, change, n),
  madeFrom: {},
  purpose: 'bring the return back',
  rationale: 'The return is below its floor.',
  evidence: [],
  confidence: 0.8,
  alternatives: [],
  planner: { kind: 'rules', name: 'floor' },
  proposedAt: at,
  ...change,
});
