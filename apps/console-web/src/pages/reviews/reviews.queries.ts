import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import type { operations } from '../../generated/console.js';

export type ReviewCard = operations['reviews_list']['responses'][200]['content']['application/json']['reviews'][number];
export type ReviewState = ReviewCard['state'];
export type ProposalCard = Extract<ReviewCard, { subject: 'proposal' }>;

/** As many as one page of the API has. */
const most = 200;

export const reviewsQuery = (state: ReviewState | undefined) =>
  queryOptions({
    queryKey: ['reviews', 'list', state ?? 'all'],
    queryFn: async () =>
      (await answerOf(api.GET('/v1/reviews', { params: { query: { limit: most, ...(state && { state }) } } }))).reviews,
  });
export const openReviewsQuery = reviewsQuery('open');

export const reviewQuery = (subjectId: string) =>
  queryOptions({
    queryKey: ['reviews', 'one', subjectId],
    queryFn: () => answerOf(api.GET('/v1/reviews/{subjectId}', { params: { path: { subjectId } } })),
  });
