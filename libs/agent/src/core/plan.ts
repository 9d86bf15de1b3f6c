import type { ActionProposed, Evidence, TaskAssigned } from '@countersign/contracts';
import type { Facts } from './facts.js';

/** One action that a planner would take, before it is clamped. Texts hold placeholders, never names. */
export interface Draft {
  readonly kind: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Why, in plain words with the figures it rests on. */
  readonly rationale: string;
  readonly evidence: readonly Evidence[];
  /** 0 to 1. */
  readonly confidence: number;
  readonly alternatives: readonly { readonly detail: string; readonly rejectedBecause: string }[];
}

/** Who planned: rules or a model, and why rules stepped in where a model was asked. */
export type PlannedBy = ActionProposed['planner'];

/** A planner's answer to a task. No proposals: `declined` says why. */
export interface Plan {
  readonly proposals: readonly Draft[];
  readonly declined?: string;
  /** Where it was not the planner's own name: a model, or the rules that stepped in. */
  readonly by?: PlannedBy;
  /** What the planner itself left out, and why; never in a model's words. */
  readonly left?: readonly string[];
}

/**
 * What answers a task. Whatever it returns is clamped before anything is proposed, so a planner is trusted with nothing.
 * A rule planner is pure and answers at once; a model planner waits.
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
