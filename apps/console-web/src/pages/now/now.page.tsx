import { Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { openReviewsQuery } from '../reviews/reviews.queries.js';
import { Funnel } from './funnel.js';
import { nowQuery } from './now.queries.js';
import { RejectedPermits } from './rejected-permits.js';
import { Services } from './services.js';
import { Spend } from './spend.js';
import { Stops } from './stops.js';
import { Waiting } from './waiting.js';

/** The height of each section, in pixels, while its data is loading. */
const sections = [
  ['waiting', 220],
  ['stops', 150],
  ['funnel', 300],
  ['spend', 220],
  ['services', 320],
] as const;

/** The present state: first the stops in force, then what waits for a person, what happens, what it costs, and which services are there. */
export function NowPage() {
  const now = useQuery(nowQuery);
  // The number of lines on the cards depends on what waits. So the cards appear together with the counts, and nothing below them
  // moves.
  const cards = useInfiniteQuery(openReviewsQuery);
  const whole = now.data && (now.data.waiting.reviews.count === 0 || !cards.isPending) ? now.data : undefined;
  const stopped = whole !== undefined && whole.stops.length > 0;
  // With their keys they change places without a new beginning: a dialog of the stops stays open.
  const stops = whole && <Stops key="stops" now={whole} />;
  const waiting = whole && <Waiting key="waiting" waiting={whole.waiting} />;
  return (
    <Stack gap="lg">
      <title>Now · Countersign</title>
      <Group justify="space-between" align="baseline">
        <Title order={1} size="h2">
          Now
        </Title>
        <Text size="sm" c="dimmed">
          {now.data ? (
            <>
              Counted <When at={now.data.at} />
            </>
          ) : (
            'Counting'
          )}
        </Text>
      </Group>
      {now.isError && <Problem error={now.error} again={() => void now.refetch()} />}
      {whole ? (
        <>
          {stopped ? [stops, waiting] : [waiting, stops]}
          <RejectedPermits rejected={whole.permitsRejected} />
          <Funnel now={whole} />
          <Spend spend={whole.spend} />
          <Services now={whole} />
        </>
      ) : (
        !now.isError && sections.map(([name, height]) => <Skeleton key={name} h={height} />)
      )}
    </Stack>
  );
}
