import { Card, Group, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Empty } from '../../parts/empty.js';
import { PageLink, playPath } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { StopBadge } from '../../parts/stops.js';
import { When } from '../../parts/when.js';
import { type PlayRow, playsQuery } from './plays.queries.js';

/** Every play of the policy in force: what starts it, and when it ran last. */
export function PlaysPage() {
  const plays = useQuery(playsQuery);
  return (
    <Stack>
      <title>Plays · Countersign</title>
      <Title order={1} size="h2">
        Plays
      </Title>
      <Text c="dimmed">A play watches for a pattern in the signals. When it sees one, it gives tasks to agents.</Text>
      {plays.isError && <Problem error={plays.error} again={() => void plays.refetch()} />}
      {plays.data?.plays.length === 0 && (
        <Empty title="There is no play">
          Without one no agent is given a task. Write one into the folder plays/ of the configuration, then publish the
          policy: see the page Policy.
        </Empty>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        {plays.data
          ? plays.data.plays.map((play) => <PlayCard key={play.id} play={play} />)
          : plays.isPending && ['first', 'second', 'third'].map((name) => <Skeleton key={name} h={170} />)}
      </SimpleGrid>
    </Stack>
  );
}

function PlayCard({ play: { id, title, starts, agents, stops, runs } }: { readonly play: PlayRow }) {
  return (
    <Card withBorder component="article" aria-label={title}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Title order={2} size="h4">
          <PageLink to={playPath(id)}>{title}</PageLink>
        </Title>
        <StopBadge stops={stops} />
      </Group>
      <Text size="sm" mt="xs" className="words">
        It starts when {starts}
      </Text>
      <Text size="sm" c="dimmed" mt="xs">
        Tasks for {agents.join(' and ')}.{' '}
        {runs.lastAt === null ? (
          'It has not run since runs are kept.'
        ) : (
          <>
            It ran last <When at={runs.lastAt} />.
          </>
        )}
        {runs.live > 0 && ` ${runs.live === 1 ? '1 run is' : `${runs.live} runs are`} under way.`}
      </Text>
    </Card>
  );
}
