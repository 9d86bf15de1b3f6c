import { type Query, type QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { type Checked, checkEvent } from '../record/proof/record.js';
import { recordQuery } from '../record/record.queries.js';
import { eventQuery, type Step } from './stories.queries.js';

/** What is known of a step's proof. */
export type Proof = Checked | { readonly state: 'not-set' } | { readonly state: 'forgotten' };

/** A record has an event within seconds of its time. */
const youngMs = 60_000;
export const isYoung = (at: string): boolean => Date.now() - Date.parse(at) < youngMs;

/** Whether the result may change in a moment. */
const mayChange = (proof: Proof | undefined, at: string): boolean =>
  proof?.state === 'not-signed-yet' || (proof?.state === 'not-on-record' && isYoung(at));

/** This browser asks the record, and computes. A proof that was found stays valid. */
export const proofQuery = (client: QueryClient, step: Pick<Step, 'id' | 'at' | 'provable'>) =>
  queryOptions({
    queryKey: ['proof', step.id],
    queryFn: async (): Promise<Proof> => {
      if (!step.provable) return { state: 'forgotten' };
      const { url, key, latest } = await client.fetchQuery(recordQuery);
      if (url === null || key === null) return { state: 'not-set' };
      const event = await client.fetchQuery(eventQuery(step.id));
      return checkEvent(event, { url, key }, latest?.size);
    },
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: (query: Query<Proof>) => (mayChange(query.state.data, step.at) ? 3_000 : false),
  });

export const useProof = (step: Pick<Step, 'id' | 'at' | 'provable'>) => useQuery(proofQuery(useQueryClient(), step));
