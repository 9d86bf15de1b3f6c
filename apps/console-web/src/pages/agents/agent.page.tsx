import { Button, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Empty } from '../../parts/empty.js';
import { PageLink, playPath } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { Rows } from '../../parts/rows.js';
import { Segments } from '../../parts/segments.js';
import { StopBadge, StopHere } from '../../parts/stops.js';
import { actionRow } from './action-row.js';
import { actionsQuery, agentQuery, type AgentPage as Page, usualDays } from './agents.queries.js';
import { CharterDocument } from './charter-document.js';
import { Figures } from './figures.js';

const periods = ['7', '30', '90'].map((value) => ({ value, label: `${value} days` }));

/** One agent: its charter in plain words, what it did, and the way to stop it. */
export function AgentPage() {
  const { agent = '' } = useParams({ strict: false });
  const [days, setDays] = useState<string>(String(usualDays));
  const page = useQuery(agentQuery(agent, Number(days)));
  return (
    <Stack>
      <title>{`${agent} · Countersign`}</title>
      <PageLink to="/agents" size="sm">
        All agents
      </PageLink>
      <Group justify="space-between">
        <Title order={1} size="h2" className="words">
          {agent}
        </Title>
        {page.data && <StopBadge stops={page.data.stops} />}
      </Group>
      {page.isError && <Problem error={page.error} again={() => void page.refetch()} />}
      {page.data ? (
        <>
          <StopHere scope={`agent:${agent}`} stops={page.data.stops} />
          <Charter page={page.data} />
          <Segments label="Figures of how many days" choices={periods} value={days} onChange={setDays} />
          <Figures page={page.data} />
          <Actions agent={agent} />
        </>
      ) : (
        page.isPending && <Skeleton h={640} />
      )}
    </Stack>
  );
}

function Charter({ page }: { readonly page: Page }) {
  return (
    <section aria-labelledby="charter">
      <Title order={2} size="h4" id="charter">
        Charter
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        What it may do, by {page.policyVersion === null ? 'no policy' : `policy ${page.policyVersion}`}.{' '}
        <PageLink to="/policy">Change it on the page Policy</PageLink>.
        {page.plays.length > 0 && (
          <>
            {' '}
            Plays that give it work:{' '}
            {page.plays.map(({ id, title }, n) => (
              <span key={id}>
                {n > 0 && ', '}
                <PageLink to={playPath(id)}>{title}</PageLink>
              </span>
            ))}
            .
          </>
        )}
      </Text>
      <CharterDocument agent={page.agent} />
      {page.charter.length === 0 ? (
        <Empty title="No charter is in force for this agent">
          All that it proposes is refused. Write a charter into the folder charters/ of the configuration, then publish
          the policy.
        </Empty>
      ) : (
        <div className="cards">
          {page.charter.map(({ title, lines }) => (
            <Card key={title} withBorder component="section" aria-label={title}>
              <Title order={3} size="h5">
                {title}
              </Title>
              <ul className="points">
                {lines.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            </Card>
          ))}
        </div>
      )}
    </section>
  );
}

function Actions({ agent }: { readonly agent: string }) {
  const actions = useInfiniteQuery(actionsQuery(agent));
  const all = actions.data?.pages.flatMap((page) => page.actions) ?? [];
  return (
    <section aria-labelledby="actions">
      <Title order={2} size="h4" id="actions" mb="xs">
        Latest actions
      </Title>
      {actions.isError && <Problem error={actions.error} again={() => void actions.refetch()} />}
      {actions.isPending && <Skeleton h={300} />}
      {actions.data && all.length === 0 && (
        <Empty title="This agent has proposed nothing yet">
          Its proposals appear here as soon as a play gives it a task. They are listed for 90 days; the record keeps
          everything.
        </Empty>
      )}
      <Rows label="Latest actions" items={all} keyOf={({ proposalId }) => proposalId}>
        {actionRow}
      </Rows>
      {actions.hasNextPage && (
        <Button
          variant="default"
          mt="sm"
          loading={actions.isFetchingNextPage}
          onClick={() => void actions.fetchNextPage()}
        >
          Show older ones
        </Button>
      )}
    </section>
  );
}
