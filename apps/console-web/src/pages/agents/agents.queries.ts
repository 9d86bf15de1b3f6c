import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Answer } from '../../app/answers.js';
import { answerOf, api } from '../../app/api.js';

export type AgentRow = Answer<'agents_list'>['agents'][number];
export type AgentPage = Answer<'agents_show'>;
export type Proposed = Answer<'agents_actions'>['actions'][number];

/** The number of days that the figures cover, until somebody chooses another. */
export const usualDays = 30;

export const agentsQuery = (days: number) =>
  queryOptions({
    queryKey: ['agents', 'list', days],
    queryFn: () => answerOf(api.GET('/v1/agents', { params: { query: { days } } })),
  });

export const agentQuery = (agent: string, days: number) =>
  queryOptions({
    queryKey: ['agents', agent, days],
    placeholderData: (before: AgentPage | undefined) => (before?.agent === agent ? before : undefined),
    queryFn: () => answerOf(api.GET('/v1/agents/{agent}', { params: { path: { agent }, query: { days } } })),
  });

export const actionsQuery = (agent: string) =>
  infiniteQueryOptions({
    queryKey: ['agents', agent, 'actions'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: before }) =>
      answerOf(
        api.GET('/v1/agents/{agent}/actions', {
          params: { path: { agent }, query: { limit: 50, ...(before !== undefined && { before }) } },
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });
