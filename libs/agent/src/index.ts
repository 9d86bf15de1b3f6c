export { type Answer, answer, declined, isLate, type PlannedFrom } from './core/answer.js';
export { type Bounds, type ClampedPlan, clamp, placeholderFault, shareOf } from './core/clamp.js';
export { type Campaign, type Facts, factsOf } from './core/facts.js';
export { type Draft, decline, type Plan, type PlannedBy, type Planner, type RulePlanner } from './core/plan.js';
export { readSettings, type Settings } from './core/settings.js';
export { AgentModule, agentSpec } from './shell/agent.module.js';
export {
  AGENT,
  type AgentDefinition,
  type FollowUp,
  type OwnRefusal,
  type OwnSettlement,
} from './shell/agent-definition.js';
export { environment } from './shell/model-access.js';
export { proposalsById, propose, type RememberedProposal } from './shell/proposals.repository.js';
