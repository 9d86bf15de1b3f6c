import { Button, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Empty } from '../../parts/empty.js';
import { PageLink } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { Rows } from '../../parts/rows.js';
import { Segments } from '../../parts/segments.js';
import { StopBadge, StopHere } from '../../parts/stops.js';
import { playQuery, runsQuery } from './plays.queries.js';
import { runRow } from './run-row.js';
import { standingWords } from './standing.js';
import { Steps } from './steps.js';

/** One play: what starts it, what it does, its runs, and the button that stops it. */
export function PlayPage() {
  const { playId = '' } = useParams({ strict: false });
  const play = useQuery(playQuery(playId));
  return (
    <Stack>
      <title>{`${play.data?.title ?? 'Play'} · Countersign`}</title>
      <PageLink to="/plays" size="sm">
        All plays
      </PageLink>
      <Group justify="space-between">
        <Title order={1} size="h2">
          {play.data?.title ?? 'Play'}
        </Title>
        {play.data && <StopBadge stops={play.data.stops} />}
      </Group>
      {play.isError && <Problem error={play.error} again={() => void play.refetch()} />}
      {play.data ? (
        <>
          <StopHere scope={`play:${playId}`} name={play.data.title} stops={play.data.stops} />
          <Card withBorder component="section" aria-labelledby="does">
            <Title order={2} size="h4" id="does">
              What it does
            </Title>
            <Text size="sm" c="dimmed" mb="md">
              By policy {play.data.policyVersion}. <PageLink to="/policy">Change it on the page Policy</PageLink>.
            </Text>
            <Steps steps={play.data.steps} />
            {play.data.elsewhere.here > 0 && (
              <Text size="sm" mt="md">
                At steps that an earlier policy had: {standingWords(play.data.elsewhere)}
              </Text>
            )}
          </Card>
          <Runs playId={playId} live={play.data.runs.live} />
        </>
      ) : (
        play.isPending && <Skeleton h={480} />
      )}
    </Stack>
  );
}

function Runs({ playId, live }: { readonly playId: string; readonly live: number }) {
  const [only, setOnly] = useState<'all' | 'live'>('all');
  const runs = useInfiniteQuery(runsQuery(playId, only === 'live'));
  const all = runs.data?.pages.flatMap((page) => page.runs) ?? [];
  return (
    <section aria-labelledby="runs">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4" id="runs">
          Runs
        </Title>
        <Segments
          label="Which runs"
          value={only}
          onChange={setOnly}
          choices={[
            { value: 'all', label: 'All' },
            { value: 'live', label: `Under way (${live})` },
          ]}
        />
      </Group>
      {runs.isError && <Problem error={runs.error} again={() => void runs.refetch()} />}
      {runs.isPending && <Skeleton h={240} />}
      {runs.data && all.length === 0 && <NoRun only={only} />}
      <Rows key={only} label="Runs" items={all} keyOf={({ runId }) => runId}>
        {runRow}
      </Rows>
      {runs.hasNextPage && (
        <Button variant="default" mt="sm" loading={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
          Show older ones
        </Button>
      )}
    </section>
  );
}

const NoRun = ({ only }: { readonly only: 'all' | 'live' }) =>
  only === 'live' ? (
    <Empty title="No run is under way">
      A run is listed here while it stands at one of the steps above. Choose All to see earlier runs.
    </Empty>
  ) : (
    <Empty title="This play has not run yet">
      A run appears here when the signals show the pattern above. Runs are listed for 90 days; the record keeps
      everything.
    </Empty>
  );
