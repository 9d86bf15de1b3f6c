import { proposalsPerTask, type TaskAssigned } from '@countersign/contracts';
import type { Bounds } from '../core/clamp.js';
import type { AgentDefinition } from './agent-definition.js';

/** The limits of this agent's plans for this task. */
export const boundsOf = (agent: AgentDefinition, task: TaskAssigned): Bounds => ({
  kinds: agent.kinds,
  most: proposalsPerTask(task.contactIds.length),
  planner: agent.rules.name,
});
