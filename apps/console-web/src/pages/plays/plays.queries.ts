import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Answer } from '../../app/answers.js';
import { answerOf, api } from '../../app/api.js';

export type PlayRow = Answer<'plays_list'>['plays'][number];
export type PlayPage = Answer<'plays_show'>;
export type Run = Answer<'plays_runs'>['runs'][number];

export const playsQuery = queryOptions({
  queryKey: ['plays', 'list'],
  queryFn: () => answerOf(api.GET('/v1/plays')),
});

export const playQuery = (playId: string) =>
  queryOptions({
    queryKey: ['plays', playId],
    queryFn: () => answerOf(api.GET('/v1/plays/{playId}', { params: { path: { playId } } })),
  });

/** `live`: only the runs that stand at a step now. */
export const runsQuery = (playId: string, live = false) =>
  infiniteQueryOptions({
    queryKey: ['plays', playId, 'runs', live],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: before }) =>
      answerOf(
        api.GET('/v1/plays/{playId}/runs', {
          params: {
            path: { playId },
            query: { limit: 50, ...(live && { live: 'true' }), ...(before !== undefined && { before }) },
          },
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });

export const runQuery = (runId: string) =>
  queryOptions({
    queryKey: ['plays', 'run', runId],
    queryFn: () => answerOf(api.GET('/v1/runs/{runId}', { params: { path: { runId } } })),
  });
