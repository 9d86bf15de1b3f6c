import { useDocumentVisibility, useIdle, useThrottledValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../../app/api.js';
import { factsQuery, type Review } from './reviews.queries.js';
import { type LiveVerdict, liveVerdict } from './verdict-words.js';

/** The shortest time between two requests to the validator, however much changes. */
const atMostEveryMs = 5_000;
/** The console announces no change of a profile, a campaign or a rate, and the passing of time is no event. */
const atLeastEveryMs = 60_000;
/** After this time without a key or a pointer, the page assumes that nobody is reading. */
const idleMs = 5 * 60_000;

export interface AskedVerdict {
  readonly live: LiveVerdict;
  /** Whether the answer to `again` is under way. */
  readonly asking: boolean;
  /** Asks at once, for a person who does not want to wait for a change. */
  readonly again: () => void;
}

/**
 * The verdict that an approval of the card would have. The page asks for it when the card opens, when the console announces a
 * change that the verdict depends on, and every minute. It does not ask while the page is hidden or unused. The last verdict is
 * shown with its time until the next answer arrives.
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
  const live = wanted ? liveVerdict(facts.error ?? verdict.error, verdict.data) : ({ state: 'not-asked' } as const);
  // Between the answer with the facts and the request to the rules, none of the two is under way.
  const busy = live.state === 'asking' || verdict.isFetching || facts.isFetching;
  const [pressed, setPressed] = useState(false);
  if (pressed && !busy) setPressed(false);
  return {
    live,
    asking: pressed && busy,
    again: () => {
      setPressed(true);
      // If the page has just asked by itself, that answer will do. While the facts are not known, there is nothing to ask about yet.
      void (digest === undefined ? facts : verdict).refetch({ cancelRefetch: false });
    },
  };
}
