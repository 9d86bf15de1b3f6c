import type { ActionProposed, Evidence, TaskAssigned } from '@countersign/contracts';
import type { Facts } from './facts.js';

/** One action that a planner proposes, before it is clamped. Texts contain placeholders, never names. */
export interface Draft {
  readonly kind: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** The reason, in plain words with the figures that it is based on. */
  readonly rationale: string;
  readonly evidence: readonly Evidence[];
  /** 0 to 1. */
  readonly confidence: number;
  readonly alternatives: readonly { readonly detail: string; readonly rejectedBecause: string }[];
}

/** Who planned: rules or a model. If rules replaced a model, the reason is included. */
export type PlannedBy = ActionProposed['planner'];

/** A planner's answer to a task. No proposals: `declined` says why. */
export interface Plan {
  readonly proposals: readonly Draft[];
  readonly declined?: string;
  /** Present if the planner's own name does not apply: a model planned, or the rules that replaced it. */
  readonly by?: PlannedBy;
  /** What the planner itself left out, and why; never in a model's words. */
  readonly left?: readonly string[];
}

/**
 * Plans the answer to a task. The result is always clamped before anything is proposed, so no planner is trusted. A rule planner is
 * pure and answers at once; a model planner waits.
 */
export interface Planner {
  /** Named in every proposal it makes. */
  readonly name: string;
  plan(task: TaskAssigned, facts: Facts, at: string): Plan | Promise<Plan>;
}

/** A deterministic planner: the same task, facts and time always give the same plan. */
export interface RulePlanner extends Planner {
  plan(task: TaskAssigned, facts: Facts, at: string): Plan;
}

/** A plan without proposals, and the reason. */
export const decline = (reason: string): Plan => ({ proposals: [], declined: reason });
