import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import type { operations } from '../../generated/console.js';

type Answer<Of extends keyof operations> = operations[Of] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;
export type Unresolved = Answer<'settlements_list'>['unresolved'][number];
export type OpenGap = Answer<'gaps_open'>['open'][number];
export type AcknowledgedGap = Answer<'gaps_acknowledged'>['acknowledged'][number];

/** The oldest come first. */
export const unresolvedQuery = infiniteQueryOptions({
  queryKey: ['funnel', 'settlements'],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ pageParam }) =>
    answerOf(
      api.GET('/v1/settlements', {
        params: { query: { limit: 100, ...(pageParam !== undefined && { cursor: pageParam }) } },
      }),
    ),
  getNextPageParam: ({ next }) => next ?? undefined,
  select: ({ pages }) => pages.flatMap(({ unresolved }) => unresolved),
});

/** A permit by its id, even if it is not unresolved any more. */
export const settlementQuery = (permitId: string) =>
  queryOptions({
    queryKey: ['funnel', 'settlements', permitId],
    queryFn: () => answerOf(api.GET('/v1/settlements/{permitId}', { params: { path: { permitId } } })),
    refetchInterval: 2_000,
  });

/** A dead letter by its id, even if it moved behind the part of the list that is loaded. */
export const deadLetterQuery = (deadLetterId: string) =>
  queryOptions({
    queryKey: ['dead-letters', 'one', deadLetterId],
    queryFn: () => answerOf(api.GET('/v1/dead-letters/{deadLetterId}', { params: { path: { deadLetterId } } })),
    refetchInterval: 2_000,
  });

/** The oldest come first. `more`: there are others, which appear when these are closed. */
export const openGapsQuery = queryOptions({
  queryKey: ['services', 'gaps', 'open'],
  queryFn: async () => {
    const { open, next } = await answerOf(api.GET('/v1/gaps', { params: { query: { limit: 500 } } }));
    return { open, more: next !== null };
  },
});

/** The latest come first. */
export const acknowledgedGapsQuery = queryOptions({
  queryKey: ['services', 'gaps', 'acknowledged'],
  queryFn: async () => (await answerOf(api.GET('/v1/gaps/acknowledged'))).acknowledged,
});
