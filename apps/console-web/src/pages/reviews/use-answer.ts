import { useMutation } from '@tanstack/react-query';
import { ApiProblem, answerOf, api } from '../../app/api.js';
import { fresh } from '../../app/queries.js';
import type { operations } from '../../generated/console.js';
import { longestLook } from '../../parts/use-looked.js';
import type { Review } from './reviews.queries.js';

type Body = NonNullable<operations['reviews_answer']['requestBody']>['content']['application/json'];
export type Answer = Pick<Body, 'decision' | 'payload' | 'note' | 'category'>;

/**
 * The id is the same for every try to answer what is on the card. So one answer counts, however often it is sent and whatever was
 * lost on the way. An answer that was set aside opens the card again, and the next answer gets another id.
 */
export const keyOf = ({ digest, answers }: Pick<Review, 'digest' | 'answers'>): string =>
  `${digest}:${answers.filter(({ setAside }) => setAside !== null).length}`;

/** Sends a person's answer to a card. The effect of the answer is read from the card and its result, never assumed. */
export const useAnswer = (card: Review, looked: () => number) =>
  useMutation({
    mutationFn: (answer: Answer) =>
      answerOf(
        api.POST('/v1/reviews/{subjectId}', {
          params: { path: { subjectId: card.id }, header: { 'idempotency-key': keyOf(card) } },
          body: { ...answer, digest: card.digest, lookedMs: Math.min(looked(), longestLook) },
        }),
      ),
    onSettled: () => fresh.now({ queryKey: ['reviews'] }),
  });

/** Whether it is unknown if the answer arrived. */
export const isUnknown = (error: unknown): boolean =>
  error instanceof ApiProblem && (error.status === 0 || error.status >= 500);
