import { infiniteQueryOptions, queryOptions, useMutation } from '@tanstack/react-query';
import type { Answer } from '../../app/answers.js';
import { answerOf, api } from '../../app/api.js';
import { fresh } from '../../app/queries.js';
import type { WithSeen } from '../../parts/use-seen.js';

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

/** A policy with its content. While another one is read, the last one stays on the page. */
export const versionQuery = (version: number | null) =>
  queryOptions({
    queryKey: ['policy', 'version', version],
    enabled: version !== null,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (known: Answer<'policyRoutes_version'> | undefined) => known,
    queryFn: () =>
      answerOf(api.GET('/v1/policies/versions/{version}', { params: { path: { version: version ?? 0 } } })),
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

interface Publishing {
  readonly digest: string;
  readonly inForce: number;
  readonly seen: () => Promise<WithSeen>;
}

/** Publishes what was shown. If the folder or the policy in force has changed since, the console answers 409 and publishes nothing. */
export const usePublish = () =>
  useMutation({
    mutationFn: async ({ digest, inForce, seen }: Publishing) =>
      answerOf(api.POST('/v1/policies/publish', { body: { digest, inForce, ...(await seen()) } })),
    onSettled: () => {
      for (const part of ['policy', 'agents', 'plays']) void fresh.now({ queryKey: [part] });
    },
  });
