import type {
  Action,
  ActionKindName,
  ActionRefused,
  ActionSettled,
  PolicyContent,
  Service,
} from '@countersign/contracts';
import type { Cause, JobKind, ServiceSpec, Work } from '@countersign/runtime';
import type { Type } from '@nestjs/common';
import type { RulePlanner } from '../core/plan.js';
import type { RememberedProposal } from './proposals.repository.js';

/** Everything that distinguishes one agent from another. */
export interface AgentDefinition {
  readonly name: Service;
  /** The kinds that its planners know. A task's kinds can only narrow them. */
  readonly kinds: readonly ActionKindName[];
  readonly rules: RulePlanner;
  /** Migration classes of tables in addition to those of every agent. */
  readonly migrations?: ServiceSpec['migrations'];
  /** Kinds of jobs in addition to planning. */
  readonly jobs?: readonly Type<JobKind<never>>[];
  /** What the agent does when it learns the outcomes of its proposals. */
  readonly followUp?: Type<FollowUp>;
}

/** A refusal of one of the agent's own proposals. */
export interface OwnRefusal {
  readonly cause: Cause;
  readonly refused: ActionRefused;
  readonly proposal: RememberedProposal;
}

/** A settlement of one of the agent's own proposals, with the action that ran, which a person may have edited. */
export interface OwnSettlement {
  readonly cause: Cause;
  readonly settled: ActionSettled;
  readonly proposal: RememberedProposal;
  readonly action: Action;
}

/** Called in the batch's transaction. It may write and schedule, and must not wait for anything outside. */
export interface FollowUp {
  refused(refusals: readonly OwnRefusal[], work: Work): Promise<void>;
  /** `policy` is the policy in force as the batch has read it. */
  settled(settlements: readonly OwnSettlement[], policy: PolicyContent | null, work: Work): Promise<void>;
  /** Proposals that were given up: nothing was received about them in the time in which they must have ended. */
  unsettled(proposals: readonly RememberedProposal[], work: Work): Promise<void>;
}

/** Injection token of the `AgentDefinition`. */
export const AGENT = Symbol('AGENT');
/** Injection token of the `FollowUp`, if there is one. */
export const FOLLOW_UP = Symbol('FOLLOW_UP');
