import { useDocumentVisibility, useIdle, useThrottledValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { Answer } from '../../app/answers.js';
import { answerOf, api } from '../../app/api.js';
import { factsQuery, type Review } from './reviews.queries.js';

/** The validator is asked so often at most, however much changes. */
const atMostEveryMs = 5_000;
/** No change of a profile, a campaign or a rate is told, and none of the time. */
const atLeastEveryMs = 60_000;
/** After so long without a key or a pointer nobody is taken to read. */
const idleMs = 5 * 60_000;

export type Judged = Extract<Answer<'dryRuns_ask'>, { judged: true }>;
/** What the rules say of an approval now; `unknown` where they cannot be asked or have not answered in time. */
export type LiveVerdict =
  | { readonly state: 'asking' | 'unknown' | 'not-asked' }
  | { readonly state: 'known'; readonly judged: Judged };

export interface AskedVerdict {
  readonly live: LiveVerdict;
  readonly asking: boolean;
  /** Asks at once, for whoever does not want to wait for a change. */
  readonly again: () => void;
}

/**
 * The verdict that an approval of the card would have. It is asked for when the card opens, again when the console tells of a change that it
 * rests on, and every minute, but not while nobody looks at the page or uses it. What was known stays until the next answer: it says of when
 * it is.
 */
export function useLiveVerdict(card: Review, open: boolean): AskedVerdict {
  const idle = useIdle(idleMs, { initialState: false });
  const looked = useDocumentVisibility() === 'visible' && !idle;
  const wanted = open && card.subject === 'proposal';
  const facts = useQuery({ ...factsQuery(card.id), enabled: wanted && looked });
  const digest = useThrottledValue(facts.data?.digest, atMostEveryMs);
  const verdict = useQuery({
    queryKey: ['dry-run', card.id, card.digest, 'as it is', digest],
    enabled: wanted && looked && digest !== undefined,
    placeholderData: (known, before) => (before?.queryKey[2] === card.digest ? known : undefined),
    staleTime: 30_000,
    retry: false,
    refetchInterval: atLeastEveryMs,
    queryFn: () =>
      answerOf(api.POST('/v1/reviews/{subjectId}/dry-run', { params: { path: { subjectId: card.id } }, body: {} })),
  });
  const known = (): LiveVerdict => {
    if (!wanted) return { state: 'not-asked' };
    if (verdict.isError || facts.isError) return { state: 'unknown' };
    if (!verdict.data) return { state: 'asking' };
    return verdict.data.judged ? { state: 'known', judged: verdict.data } : { state: 'unknown' };
  };
  return {
    live: known(),
    asking: verdict.isFetching || facts.isFetching,
    // Where nothing was learnt of the facts there is nothing to ask about yet.
    again: digest === undefined ? () => void facts.refetch() : () => void verdict.refetch(),
  };
}
