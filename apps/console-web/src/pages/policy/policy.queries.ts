import { infiniteQueryOptions, queryOptions, useMutation } from '@tanstack/react-query';
import type { Answer } from '../../app/answers.js';
import { answerOf, api } from '../../app/api.js';
import { fresh } from '../../app/queries.js';

export type Check = Answer<'policyRoutes_check'>;
export type Difference = Check['differences'][number];
export type Version = Answer<'policyRoutes_versions'>['versions'][number];

export const versionsQuery = infiniteQueryOptions({
  queryKey: ['policy', 'versions'],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ pageParam: before }) =>
    answerOf(
      api.GET('/v1/policies/versions', {
        params: { query: { limit: 50, ...(before !== undefined && { before: Number(before) }) } },
      }),
    ),
  getNextPageParam: ({ next }) => next ?? undefined,
});

/** What the folder contains now. Reading it publishes nothing. */
export const checkQuery = queryOptions({
  queryKey: ['policy', 'check'],
  queryFn: () => answerOf(api.POST('/v1/policies/check')),
});

export const differencesQuery = (from: number, to: number) =>
  queryOptions({
    queryKey: ['policy', 'differences', from, to],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => answerOf(api.GET('/v1/policies/differences', { params: { query: { from, to } } })),
  });

/** Publishes what was shown. If the folder or the policy in force has changed since, the console answers 409 and publishes nothing. */
export const usePublish = () =>
  useMutation({
    mutationFn: ({ digest, inForce }: { readonly digest: string; readonly inForce: number }) =>
      answerOf(api.POST('/v1/policies/publish', { body: { digest, inForce } })),
    onSettled: () => {
      for (const part of ['policy', 'agents', 'plays']) void fresh.now({ queryKey: [part] });
    },
  });
