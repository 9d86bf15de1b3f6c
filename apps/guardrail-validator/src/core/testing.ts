import type { ActionProposed } from '@countersign/contracts';
import type { PolicyInForce } from '@countersign/gate';
import { at, proposalOf } from '@countersign/gate/testing';
import {
  decideVerdicts as decidePrepared,
  type Loaded,
  neededBy as neededByPrepared,
  prepare,
  type VerdictRequest,
} from './verdicts.js';

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

/** The loaded facts that a test gives, with the policy in force. */
export type LoadedUnder = Loaded & { readonly policy: PolicyInForce | null };

/** Prepares requests and decides them. */
export const decideVerdicts = (requests: readonly VerdictRequest[], { policy, ...loaded }: LoadedUnder, at: string) =>
  decidePrepared(prepare(requests, policy, at), loaded, at);

/** What requests need, for tests that have not prepared them. */
export const neededBy = (requests: readonly VerdictRequest[], policy: PolicyInForce | null, at: string) =>
  neededByPrepared(prepare(requests, policy, at), at);
