import type { AgentCount, AgentTokens } from './project-agents.js';

/** What is known about the tokens of an agent's model in a period. */
export const tokenStates = ['no-task', 'no-model', 'not-called', 'unknown', 'at-least', 'known'] as const;
export type TokenState = (typeof tokenStates)[number];

/** The most models that are shown for one agent. */
const mostModels = 10;

/**
 * Tokens of one agent, from its rows and counts in a period. An unknown number is never a zero: `at-least` means that there were
 * more. If an agent names a model as its planner and reports no tokens, its tokens are unknown.
 */
export function tokensOf(
  rows: readonly Omit<AgentTokens, 'agent' | 'day'>[],
  counts: readonly Pick<AgentCount, 'stage' | 'label' | 'n'>[],
) {
  const sum = (member: 'proposals' | 'calls' | 'unknownCalls' | 'inputTokens' | 'outputTokens'): number =>
    rows.reduce((total, row) => total + row[member], 0);
  const [proposals, calls, unknownCalls] = [sum('proposals'), sum('calls'), sum('unknownCalls')];
  const [input, output] = [sum('inputTokens'), sum('outputTokens')];
  const stage = (name: AgentCount['stage']): number =>
    counts.reduce((total, count) => (count.stage === name ? total + count.n : total), 0);
  const silent = Math.max(0, stage('modelled') - proposals);
  const state = stateOf({
    tasks: stage('tasks'),
    answers: rows.length,
    calls,
    unknownCalls,
    silent,
    tokens: input + output,
  });
  const counted = state === 'known' || state === 'at-least';
  return {
    state,
    models: [...rows]
      .sort((a, b) => b.calls - a.calls)
      .slice(0, mostModels)
      .map(({ model }) => model),
    calls,
    unknownCalls,
    input: counted ? input : null,
    output: counted ? output : null,
    perProposal:
      counted && proposals > 0
        ? { input: Math.round(input / proposals), output: Math.round(output / proposals) }
        : null,
  };
}

function stateOf(found: {
  readonly tasks: number;
  readonly answers: number;
  readonly calls: number;
  readonly unknownCalls: number;
  /** Proposals that a model planned, by agents that do not report its tokens. */
  readonly silent: number;
  readonly tokens: number;
}): TokenState {
  const unknown = found.unknownCalls > 0 || found.silent > 0;
  if (unknown) return found.tokens === 0 ? 'unknown' : 'at-least';
  if (found.answers === 0) return found.tasks === 0 ? 'no-task' : 'no-model';
  return found.calls === 0 ? 'not-called' : 'known';
}
