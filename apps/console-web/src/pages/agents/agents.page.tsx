import { Card, Group, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Empty } from '../../parts/empty.js';
import { agentPath, PageLink } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { StopBadge } from '../../parts/stops.js';
import { type AgentRow, agentsQuery, usualDays } from './agents.queries.js';
import { tokensSentence } from './tokens.js';

/** Every agent: its owner, whether it runs, and what it did recently. */
export function AgentsPage() {
  const agents = useQuery(agentsQuery(usualDays));
  return (
    <Stack>
      <title>Agents · Countersign</title>
      <Title order={1} size="h2">
        Agents
      </Title>
      <Text c="dimmed">
        An agent proposes actions. Its charter says what it may do, within which limits, and who answers for it. The
        figures are those of the last {usualDays} days.
      </Text>
      {agents.isError && <Problem error={agents.error} again={() => void agents.refetch()} />}
      {agents.data?.agents.length === 0 && (
        <Empty title="There is no agent">
          An agent appears here when it has a charter in the configuration folder (charters/) and the policy is
          published: see the page Policy.
        </Empty>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        {agents.data
          ? agents.data.agents.map((agent) => <AgentCard key={agent.agent} row={agent} />)
          : agents.isPending && ['first', 'second'].map((name) => <Skeleton key={name} h={190} />)}
      </SimpleGrid>
    </Stack>
  );
}

function AgentCard({ row }: { readonly row: AgentRow }) {
  const { agent, owner, plays, stops, figures: f } = row;
  const numbers = [
    ['Proposed', f.proposed],
    ['Approved', f.approved],
    ['Refused', f.refused],
    ['Changed by people', f.answers.edit + f.answers.reject],
  ] as const;
  return (
    <Card withBorder component="article" aria-label={agent}>
      <Group justify="space-between">
        <Title order={2} size="h4">
          <PageLink to={agentPath(agent)}>{agent}</PageLink>
        </Title>
        <StopBadge stops={stops} />
      </Group>
      <Text size="sm" c="dimmed">
        {owner === null
          ? 'It has no charter in force: all that it proposes is refused.'
          : `${owner} answers for it. ${plays.length === 0 ? 'No play gives it work.' : `It works for: ${plays.map(({ title }) => title).join(', ')}.`}`}
      </Text>
      <SimpleGrid cols={{ base: 2, xs: 4 }} mt="md">
        {numbers.map(([label, n]) => (
          <div key={label}>
            <Text size="sm" c="dimmed">
              {label}
            </Text>
            <Text size="lg" fw={600} className="figure">
              {n.toLocaleString()}
            </Text>
          </div>
        ))}
      </SimpleGrid>
      <Text size="sm" c="dimmed" mt="xs" className="words">
        {tokensSentence(f.tokens)}
      </Text>
    </Card>
  );
}
