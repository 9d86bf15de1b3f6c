import { type Query, type QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { isAway } from '../../app/api-problem.js';
import { type Checked, checkEvent } from '../record/proof/record.js';
import { recordQuery } from '../record/record.queries.js';
import { isYoung } from './proof-words.js';
import { eventQuery, type Step } from './stories.queries.js';

/** What is known of a step's proof. */
export type Proof = Checked | { readonly state: 'not-set' } | { readonly state: 'forgotten' };

/** Whether the result may change in a moment. */
const mayChange = (proof: Proof | undefined, at: string): boolean =>
  proof?.state === 'not-signed-yet' || (proof?.state === 'not-on-record' && isYoung(at));

/** A record that does not answer may have been restarted. It is asked less and less often, up to twice a minute. */
const whenBack = (asked: number): number => Math.min(30_000, 3_000 + 1_500 * asked);

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
    refetchInterval: ({ state: { data, error, dataUpdateCount, errorUpdateCount } }: Query<Proof>) => {
      if (isAway(error) || data?.state === 'unreachable') return whenBack(dataUpdateCount + errorUpdateCount);
      return error === null && mayChange(data, step.at) ? 3_000 : false;
    },
  });

export const useProof = (step: Pick<Step, 'id' | 'at' | 'provable'>) => useQuery(proofQuery(useQueryClient(), step));

/** What a reading of a proof has shown so far. If the browser could not read it, the reason. */
export const proofOf = ({
  data,
  error,
}: {
  readonly data?: Proof | undefined;
  readonly error: Error | null;
}): Proof | undefined => (error ? { state: 'unreachable', detail: error.message } : data);
