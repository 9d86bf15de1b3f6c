import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import type { operations } from '../../generated/console.js';

export type Now = operations['now_now']['responses'][200]['content']['application/json'];
export type Rate = Now['rates'][number];
export type SpendFigure = Now['spend']['adAccounts'][number];
export type Queue = operations['now_queued']['responses'][200]['content']['application/json'];

/** The present state. It is read again at intervals, because the broker knows whether services run and no event announces it. */
export const nowQuery = queryOptions({
  queryKey: ['funnel', 'now'],
  queryFn: () => answerOf(api.GET('/v1/now')),
  refetchInterval: 5_000,
});

/** What is under way in a scope. A stop of this scope reaches it. */
export const queueQuery = (scope: string) =>
  queryOptions({
    queryKey: ['funnel', 'queue', scope],
    queryFn: () => answerOf(api.GET('/v1/queue', { params: { query: { scope } } })),
  });
