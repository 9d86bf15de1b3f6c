import type { Charter, PolicyContent } from '@countersign/contracts';
import { tokensOf } from './agent-tokens.js';
import type { AgentCount, AgentTokens } from './project-agents.js';

/** The sums of one agent in a period. */
export interface AgentSums {
  readonly counts: readonly Pick<AgentCount, 'stage' | 'label' | 'n'>[];
  readonly tokens: readonly Omit<AgentTokens, 'agent' | 'day'>[];
}

/** Figures of one agent, from its counts in a period. */
export function figuresOf({ counts, tokens }: AgentSums) {
  const n = (stage: AgentCount['stage'], label: string): number =>
    counts.reduce((sum, c) => (c.stage === stage && c.label === label ? sum + c.n : sum), 0);
  const answers = (decision: string): number => n('answers', decision);
  const byLabel = (wanted: AgentCount['stage']): Record<string, number> =>
    Object.fromEntries(counts.filter(({ stage }) => stage === wanted).map(({ label, n: times }) => [label, times]));
  return {
    proposed: n('proposals', 'proposed'),
    approved: n('verdicts', 'approved'),
    refused: n('verdicts', 'refused'),
    escalated: n('verdicts', 'escalated'),
    answers: { approve: answers('approve'), edit: answers('edit'), reject: answers('reject') },
    rejectedFor: byLabel('rejected'),
    refusedBy: byLabel('refused'),
    tokens: tokensOf(tokens, counts),
  };
}

export interface StopNow {
  readonly scope: string;
  readonly name: string | null;
  readonly state: 'stopped' | 'running';
  readonly by: string;
  readonly reason: string;
  readonly changedAt: string;
}

/** The stops that apply to a scope, e.g. `agent:paid-media-agent`: its own, and the stop of everything. */
export const stopsFor = (controls: readonly StopNow[], scope: string) =>
  controls
    .filter((control) => control.state === 'stopped' && (control.scope === scope || control.scope === 'all'))
    .map(({ scope: stopped, name, by, reason, changedAt }) => ({ scope: stopped, name, by, reason, changedAt }));

/** The time since which there are figures: since their beginning, or since the first stored day. */
export const figuresSince = (begunAt: string, at: string, retentionDays: number): string => {
  const oldest = `${firstDay(at, retentionDays)}T00:00:00.000Z`;
  return begunAt > oldest ? begunAt : oldest;
};

/** The first day (UTC) of a period that ends today. */
export const firstDay = (at: string, days: number): string =>
  new Date(Date.parse(at) - (days - 1) * 86_400_000).toISOString().slice(0, 10);

/** The names of the agents: those with a charter, and those that are installed without one. */
export const agentNames = (content: PolicyContent | undefined, installed: readonly string[]): string[] =>
  [...new Set([...(content?.charters.map(({ agent }) => agent) ?? []), ...installed])].sort();

/** What an agent shows both in a list and on its page. */
export function agentShown(
  agent: string,
  content: PolicyContent | undefined,
  controls: readonly StopNow[],
  sums: AgentSums,
) {
  const charter: Charter | undefined = content?.charters.find((c) => c.agent === agent);
  const plays = content?.plays.filter(({ tasks }) => tasks.some((task) => task.agent === agent)) ?? [];
  return {
    agent,
    owner: charter?.owner ?? null,
    reviewers: charter?.reviewers ?? [],
    plays: plays.map(({ id, title }) => ({ id, title })),
    stops: stopsFor(controls, `agent:${agent}`),
    figures: figuresOf(sums),
  };
}
