import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import type { operations } from '../../generated/console.js';

type Answer<Of extends keyof operations> = operations[Of] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;
export type Unresolved = Answer<'settlements_list'>['unresolved'][number];
export type DeadLetter = Answer<'deadLetters_list'>['deadLetters'][number];
export type Gap = Answer<'gaps_list'>['acknowledged'][number];

export const unresolvedQuery = queryOptions({
  queryKey: ['funnel', 'settlements'],
  queryFn: async () => (await answerOf(api.GET('/v1/settlements'))).unresolved,
});

/** A permit by its id, also when it is not unresolved any more. */
export const settlementQuery = (permitId: string) =>
  queryOptions({
    queryKey: ['funnel', 'settlements', permitId],
    queryFn: () => answerOf(api.GET('/v1/settlements/{permitId}', { params: { path: { permitId } } })),
    refetchInterval: 2_000,
  });

export const deadLettersQuery = queryOptions({
  queryKey: ['dead-letters', 'runbook'],
  queryFn: async () => (await answerOf(api.GET('/v1/dead-letters'))).deadLetters,
  refetchInterval: 5_000,
});

export const gapsQuery = queryOptions({
  queryKey: ['services', 'gaps'],
  queryFn: async () => (await answerOf(api.GET('/v1/gaps/acknowledged'))).acknowledged,
});
