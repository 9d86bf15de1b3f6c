import { actionDetail, type DataOf, type ModelUse, proposalIdOf, topics } from '@countersign/contracts';
import type { Received } from '@countersign/runtime';
import { campaignKeys } from './campaign-keys.js';
import { claimedAt } from './claimed-at.js';

/** One action as its agent proposed it. */
export interface AgentAction {
  readonly proposalId: string;
  readonly agent: string;
  readonly playId: string;
  readonly runId: string;
  /** The action's id as the validator derives it. An edit has another id. */
  readonly actionId: string;
  readonly kind: string;
  readonly detail: string;
  readonly campaignKeys: readonly string[];
  readonly correlationId: string;
  readonly at: string;
}

/** A run of a play: its tasks are assigned, or wait at its checkpoint. */
export interface PlayRun {
  readonly runId: string;
  readonly playId: string;
  readonly accountId: string | null;
  readonly adAccountId: string | null;
  readonly campaignId: string | null;
  readonly correlationId: string;
  readonly at: string;
  readonly checkpoint: { readonly id: string; readonly deadline: string } | null;
}

/** An addition to the figures of an agent on a day (UTC). */
export interface AgentCount {
  readonly agent: string;
  readonly day: string;
  /**
   * `modelled`: proposals that name a model as their planner, or that the rules planned in place of a model. `tasks`: answered
   * tasks. `rejected`: the reasons that people chose when they rejected.
   */
  readonly stage: 'proposals' | 'modelled' | 'tasks' | 'verdicts' | 'refused' | 'answers' | 'rejected';
  readonly label: string;
  readonly n: number;
}

/** An addition to the tokens of an agent's model on a day (UTC), and to the proposals from it. */
export interface AgentTokens extends Omit<ModelUse, 'name'> {
  readonly agent: string;
  readonly day: string;
  readonly model: string;
  readonly proposals: number;
}

export interface AgentChanges {
  readonly counts: readonly AgentCount[];
  readonly tokens: readonly AgentTokens[];
  readonly actions: readonly AgentAction[];
  readonly runs: readonly PlayRun[];
  readonly tasks: readonly (Pick<DataOf<'TaskAssigned'>, 'taskId' | 'agent' | 'purpose' | 'assignedAt' | 'dueAt'> & {
    readonly runId: string;
  })[];
  readonly answers: readonly (Pick<DataOf<'TaskSettled'>, 'taskId' | 'agent' | 'outcome' | 'reason' | 'at'> & {
    readonly proposals: number;
  })[];
}

/**
 * The changes of a batch for agents and runs. An agent speaks only for itself: what it writes in another name, or under a wrong
 * id, is left out here. The validator refuses it, and that refusal is counted.
 */
export function projectAgents(events: readonly Received[]): AgentChanges {
  const counts = new Map<string, AgentCount>();
  const count = (agent: string, at: string, stage: AgentCount['stage'], label: string) => {
    const day = at.slice(0, 10);
    const name = JSON.stringify([agent, day, stage, label]);
    counts.set(name, { agent, day, stage, label, n: (counts.get(name)?.n ?? 0) + 1 });
  };
  const tokens = new Map<string, AgentTokens>();
  const take = (agent: string, at: string, { name, ...use }: ModelUse, proposals: number) => {
    const day = at.slice(0, 10);
    const key = JSON.stringify([agent, day, name]);
    const before = tokens.get(key);
    tokens.set(key, {
      ...{ agent, day, model: name },
      proposals: proposals + (before?.proposals ?? 0),
      calls: use.calls + (before?.calls ?? 0),
      unknownCalls: use.unknownCalls + (before?.unknownCalls ?? 0),
      inputTokens: use.inputTokens + (before?.inputTokens ?? 0),
      outputTokens: use.outputTokens + (before?.outputTokens ?? 0),
    });
  };
  const changes = {
    actions: [] as AgentAction[],
    runs: [] as PlayRun[],
    tasks: [] as AgentChanges['tasks'][number][],
    answers: [] as AgentChanges['answers'][number][],
  };
  for (const { event, topic, takenAt } of events) {
    const correlationId = event.correlationid ?? event.id;
    switch (event.type) {
      case 'TaskAssigned': {
        const { taskId, agent, purpose, assignedAt, dueAt, play } = event.data;
        changes.tasks.push({ taskId, agent, purpose, assignedAt, dueAt, runId: play.runId });
        changes.runs.push({ ...runOf(event.data, correlationId), at: assignedAt, checkpoint: null });
        break;
      }
      case 'TaskEscalated': {
        const { at, checkpointId, deadline, tasks, ...data } = event.data;
        const run = runOf({ ...tasks[0], ...data }, correlationId);
        changes.runs.push({ ...run, at, checkpoint: { id: checkpointId, deadline } });
        break;
      }
      case 'TaskSettled': {
        const { taskId, agent, outcome, reason, proposalIds, at, model } = event.data;
        if (topic !== topics.tasksSettled(agent).name) break;
        const answeredAt = claimedAt(at, takenAt);
        count(agent, answeredAt, 'tasks', outcome);
        if (model) take(agent, answeredAt, model, proposalIds.length);
        changes.answers.push({ taskId, agent, outcome, reason, at, proposals: proposalIds.length });
        break;
      }
      case 'ActionProposed': {
        const { proposalId, taskId, item, agent, play, action, planner, proposedAt } = event.data;
        if (topic !== topics.actionsProposed(agent).name) break;
        const at = claimedAt(proposedAt, takenAt);
        count(agent, at, 'proposals', 'proposed');
        if (planner.kind === 'model' || planner.fallback !== undefined) count(agent, at, 'modelled', 'proposed');
        if (item === undefined || proposalId !== proposalIdOf(agent, taskId, item)) break;
        changes.actions.push({
          proposalId,
          agent,
          playId: play.id,
          runId: play.runId,
          actionId: action.actionId,
          kind: action.kind,
          detail: actionDetail(action) ?? action.kind,
          campaignKeys: campaignKeys(action),
          correlationId,
          at,
        });
        break;
      }
      case 'ActionApproved':
        count(event.data.agent, event.data.verdict.at, 'verdicts', 'approved');
        if (event.data.review) count(event.data.agent, event.data.verdict.at, 'answers', event.data.review.decision);
        break;
      case 'ActionEscalated':
        count(event.data.agent, event.data.verdict.at, 'verdicts', 'escalated');
        break;
      case 'ActionRefused': {
        const { agent, verdict, supersededBy, review } = event.data;
        // The edit is counted with the verdict on the new action.
        if (supersededBy) break;
        count(agent, verdict.at, 'verdicts', 'refused');
        if (review) count(agent, verdict.at, 'answers', review.decision);
        if (review?.category) count(agent, verdict.at, 'rejected', review.category);
        const rules = verdict.reasons.filter(({ outcome }) => outcome === 'refuse').map(({ rule }) => rule);
        for (const rule of new Set(rules)) count(agent, verdict.at, 'refused', rule);
        break;
      }
    }
  }
  return { counts: [...counts.values()], tokens: [...tokens.values()], ...changes };
}

const runOf = (
  data: Pick<DataOf<'TaskAssigned'>, 'play'> &
    Partial<Pick<DataOf<'TaskAssigned'>, 'accountId' | 'adAccountId' | 'campaignId'>>,
  correlationId: string,
) => ({
  runId: data.play.runId,
  playId: data.play.id,
  accountId: data.accountId ?? null,
  adAccountId: data.adAccountId ?? null,
  campaignId: data.campaignId ?? null,
  correlationId,
});
