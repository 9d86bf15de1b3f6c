import type { TaskAssigned } from '@countersign/contracts';
import type { Bounds } from '../core/clamp.js';
import type { AgentDefinition } from './agent-definition.js';

/** Proposals beside one of each kind per contact. */
const spare = 5;

/** What bounds this agent's plans for this task. */
export const boundsOf = (agent: AgentDefinition, task: TaskAssigned): Bounds => ({
  kinds: agent.kinds,
  most: task.contactIds.length + spare,
  planner: agent.rules.name,
});
