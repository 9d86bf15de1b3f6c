import { queryOptions, useMutation } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.js';
import { fresh } from '../app/queries.js';
import type { operations } from '../generated/console.js';
import type { WithSeen } from './use-seen.js';

/** Every stop in force. */
export const controlsQuery = queryOptions({
  queryKey: ['controls'],
  queryFn: async () => (await answerOf(api.GET('/v1/controls', { params: { query: { state: 'stopped' } } }))).controls,
});

/** The control of one scope, in force or lifted; null if nobody ever stopped it. */
export const controlQuery = (scope: string) =>
  queryOptions({
    queryKey: ['controls', scope],
    queryFn: async () =>
      (await answerOf(api.GET('/v1/controls', { params: { query: { scope } } }))).controls[0] ?? null,
  });

export type Control = operations['controls_list']['responses'][200]['content']['application/json']['controls'][number];

export const families = ['all', 'agent', 'play', 'channel', 'account'] as const;
export type Family = (typeof families)[number];

export interface Change {
  readonly scope: string;
  readonly state: 'stopped' | 'running';
  readonly reason: string;
  /** A repeat after a lost answer uses the same id. */
  readonly key: string;
  readonly seen: () => Promise<WithSeen>;
}

/** Stops or resumes. The answer says which services apply it already. */
export const useControl = () =>
  useMutation({
    mutationFn: async ({ scope, state, reason, key, seen }: Change) =>
      answerOf(
        api.POST('/v1/controls', {
          params: { header: { 'idempotency-key': key } },
          body: { scope, state, reason, ...(await seen()) },
        }),
      ),
    onSettled: () => {
      for (const part of ['controls', 'reviews', 'funnel', 'services', 'agents', 'plays'])
        void fresh.now({ queryKey: [part] });
    },
  });
