import { queryOptions, useMutation } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.js';
import { fresh } from '../app/queries.js';
import type { operations } from '../generated/console.js';

export const controlsQuery = queryOptions({
  queryKey: ['controls'],
  queryFn: async () => (await answerOf(api.GET('/v1/controls'))).controls,
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
}

/** Stops or resumes. The answer says which services apply it already. */
export const useControl = () =>
  useMutation({
    mutationFn: ({ scope, state, reason, key }: Change) =>
      answerOf(
        api.POST('/v1/controls', {
          params: { header: { 'idempotency-key': key } },
          body: { scope, state, reason },
        }),
      ),
    onSettled: () => {
      for (const part of ['controls', 'reviews', 'funnel', 'services', 'agents', 'plays'])
        void fresh.now({ queryKey: [part] });
    },
  });
