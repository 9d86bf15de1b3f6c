import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';

/** Where the record is, its key, and the largest checkpoint that the console has seen. */
export const recordQuery = queryOptions({
  queryKey: ['record'],
  queryFn: () => answerOf(api.GET('/v1/record')),
});

const atOnce = 100;

export const checkpointsQuery = infiniteQueryOptions({
  queryKey: ['record', 'checkpoints'],
  queryFn: ({ pageParam }) => {
    const before = pageParam === undefined ? {} : { before: String(pageParam) };
    return answerOf(api.GET('/v1/record/checkpoints', { params: { query: { ...before, limit: atOnce } as never } }));
  },
  initialPageParam: undefined as number | undefined,
  getNextPageParam: ({ next }) => next ?? undefined,
});
