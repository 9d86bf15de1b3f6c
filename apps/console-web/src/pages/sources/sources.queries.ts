import { infiniteQueryOptions, queryOptions, useMutation } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import { fresh } from '../../app/queries.js';
import type { operations } from '../../generated/console.js';
import type { WithSeen } from '../../parts/use-seen.js';

export const sourcesQuery = queryOptions({
  queryKey: ['sources'],
  refetchInterval: 30_000,
  queryFn: async () => (await answerOf(api.GET('/v1/sources'))).sources,
});
export type Source = operations['sources_health']['responses'][200]['content']['application/json']['sources'][number];

/** Which rejected signals: of one source, for one reason; all if both are absent. */
export interface RejectedFilter {
  readonly source?: string;
  readonly code?: string;
}
export const rejectedQuery = ({ source, code }: RejectedFilter) =>
  infiniteQueryOptions({
    queryKey: ['sources', 'rejected', source ?? '', code ?? ''],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      answerOf(
        api.GET('/v1/signals/rejected', {
          params: {
            query: {
              limit: 100,
              ...(source && { source }),
              ...(code && { code }),
              ...(pageParam && { cursor: pageParam }),
            },
          },
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });
export type RejectedSignal =
  operations['sources_rejected']['responses'][200]['content']['application/json']['rejected'][number];

export type DeadLetter =
  operations['deadLetters_list']['responses'][200]['content']['application/json']['deadLetters'][number];
/** Dead letters that wait for a person come first. */
export const deadLettersQuery = infiniteQueryOptions({
  queryKey: ['dead-letters', 'list'],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ pageParam }) =>
    answerOf(
      api.GET('/v1/dead-letters', {
        params: { query: { limit: 200, ...(pageParam !== undefined && { cursor: pageParam }) } },
      }),
    ),
  getNextPageParam: ({ next }) => next ?? undefined,
  select: ({ pages }) => pages.flatMap(({ deadLetters }) => deadLetters),
  // An order ends soon, and the person who gave it waits for the outcome.
  refetchInterval: ({ state }) =>
    state.data?.pages.some(({ deadLetters }) => deadLetters.some((letter) => letter.state === 'ordered'))
      ? 2_000
      : false,
});

interface Order {
  readonly deadLetterId: string;
  readonly note: string;
  /** A repeat after a lost answer uses the same id. */
  readonly key: string;
  readonly seen: () => Promise<WithSeen>;
}
export const useReplay = () =>
  useMutation({
    mutationFn: async ({ deadLetterId, note, key, seen }: Order) =>
      answerOf(
        api.POST('/v1/dead-letters/{deadLetterId}/replays', {
          params: { path: { deadLetterId }, header: { 'idempotency-key': key } },
          body: { note, ...(await seen()) },
        }),
      ),
    onSettled: () => {
      for (const part of ['dead-letters', 'funnel']) void fresh.now({ queryKey: [part] });
    },
  });
