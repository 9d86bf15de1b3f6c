import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import type { operations } from '../../generated/console.js';

export type Now = operations['now_now']['responses'][200]['content']['application/json'];
export type Rate = Now['rates'][number];
export type SpendFigure = Now['spend']['adAccounts'][number];
export type Queue = operations['now_queued']['responses'][200]['content']['application/json'];

/** How it stands. Read again by itself: whether services run is news of the broker, which no event announces. */
export const nowQuery = queryOptions({
  queryKey: ['funnel', 'now'],
  queryFn: () => answerOf(api.GET('/v1/now')),
  refetchInterval: 5_000,
});

/** What is under way in a scope, which is what a stop of it reaches. */
export const queueQuery = (scope: string) =>
  queryOptions({
    queryKey: ['funnel', 'queue', scope],
    queryFn: () => answerOf(api.GET('/v1/queue', { params: { query: { scope } } })),
  });
