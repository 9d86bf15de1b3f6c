import { Alert, Text } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type Control, controlsQuery } from '../../parts/controls.js';
import { scopeWords } from '../../parts/scope.js';
import { When } from '../../parts/when.js';
import { kindsQuery, type Review } from './reviews.queries.js';
import { approvalUnder, stopsOn } from './stops.js';

/** The stops that cover a card; undefined while they are not known. `waits` during the first reading. */
export function useStops(card: Review | undefined): {
  readonly stops: readonly Control[] | undefined;
  readonly waits: boolean;
  /** Why they are not known, and another try. */
  readonly unknown: { readonly error: unknown; readonly again: () => void } | undefined;
} {
  const controls = useQuery(controlsQuery);
  const kinds = useQuery(kindsQuery);
  const waits = [controls, kinds].some(
    ({ isPending, failureCount, fetchStatus }) => isPending && failureCount === 0 && fetchStatus === 'fetching',
  );
  const stops = card && controls.data && kinds.data ? stopsOn(card, controls.data, kinds.data) : undefined;
  const failed = controls.isError ? controls : kinds.isError ? kinds : undefined;
  const unknown = failed && { error: failed.error, again: () => void failed.refetch() };
  return { stops, waits, unknown };
}

/** Says that something stops the action on the card, and what this means for an answer. */
export function Stopped({ card, stops }: { readonly card: Review; readonly stops: readonly Control[] }) {
  if (stops.length === 0) return null;
  return (
    <Alert
      color="red"
      icon={<IconHandStop aria-hidden />}
      title={stops.map(({ by, scope }) => `${by} stopped ${scopeWords(scope)}`).join('; ')}
    >
      {stops.map(({ scope, reason, changedAt }) => (
        <Text key={scope} size="sm">
          <span className="written">{reason}</span> (<When at={changedAt} />)
        </Text>
      ))}
      <Text size="sm" mt="xs">
        {approvalUnder(card, stops)} You can reject it at any time. To let{' '}
        {card.subject === 'proposal' ? 'it run' : 'the tasks go out'}, first have{' '}
        {stops.map(({ scope }) => scopeWords(scope)).join(' and ')} resumed, then answer. The deadline does not wait for
        that.
      </Text>
    </Alert>
  );
}
