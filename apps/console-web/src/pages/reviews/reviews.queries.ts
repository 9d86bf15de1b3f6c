import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import type { operations } from '../../generated/console.js';

type Ok<Operation extends keyof operations> = operations[Operation] extends {
  responses: { 200: { content: { 'application/json': infer Answer } } };
}
  ? Answer
  : never;

export type ReviewCard = Ok<'reviews_list'>['reviews'][number];
export type ReviewState = ReviewCard['state'];
export type Review = Ok<'reviews_show'>;
export type Proposal = Extract<Review, { subject: 'proposal' }>;
export type Checkpoint = Extract<Review, { subject: 'checkpoint' }>;
export type Result = Ok<'reviews_result'>;

/** How many are read in one request. The nearest deadlines come first. */
const atOnce = 200;

export const reviewsQuery = (state: ReviewState | undefined) =>
  infiniteQueryOptions({
    queryKey: ['reviews', 'list', state ?? 'all'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor }) =>
      answerOf(
        api.GET('/v1/reviews', {
          params: {
            query: { limit: atOnce, ...(state && { state }), ...(cursor !== undefined && { cursor: cursor as never }) },
          },
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
    select: ({ pages }) => ({
      cards: pages.flatMap(({ reviews }) => reviews),
      pages: pages.length,
    }),
  });
export const openReviewsQuery = reviewsQuery('open');

export const reviewQuery = (subjectId: string) =>
  queryOptions({
    queryKey: ['reviews', 'one', subjectId],
    queryFn: () => answerOf(api.GET('/v1/reviews/{subjectId}', { params: { path: { subjectId } } })),
  });

/** This digest changes when something changes that the verdict depends on. The live stream calls this part of the pages `facts`. */
export const factsQuery = (subjectId: string) =>
  queryOptions({
    queryKey: ['facts', subjectId],
    queryFn: () => answerOf(api.GET('/v1/reviews/{subjectId}/facts', { params: { path: { subjectId } } })),
  });

/** The result of an answer. It is read again until it has settled. */
export const resultQuery = (reviewId: string) =>
  queryOptions({
    queryKey: ['reviews', 'result', reviewId],
    queryFn: () => answerOf(api.GET('/v1/reviews/{reviewId}/result', { params: { path: { reviewId } } })),
    refetchInterval: ({ state: { data } }) => {
      if (!data || data.state === 'waiting') return 1_000;
      return data.state === 'approved' && data.settlement === null ? 3_000 : false;
    },
  });

export const kindsQuery = queryOptions({
  queryKey: ['kinds'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async () => (await answerOf(api.GET('/v1/kinds'))).kinds,
});
