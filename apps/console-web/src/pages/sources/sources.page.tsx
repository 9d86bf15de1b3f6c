import { Anchor, Card, Group, List, SimpleGrid, Skeleton, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Empty } from '../../parts/empty.js';
import { Problem } from '../../parts/problem.js';
import { Standing } from '../../parts/standing.js';
import { When } from '../../parts/when.js';
import { Section } from './sections.js';
import { type Source, sourcesQuery } from './sources.queries.js';

/** Each system that sends signals, including those that are silent. */
export function SourcesPage() {
  const sources = useQuery(sourcesQuery);
  return (
    <Section
      title="Sources"
      about="The systems that send signals: what came, what was rejected, and since when one is silent."
    >
      {sources.isError && <Problem error={sources.error} again={() => void sources.refetch()} />}
      {sources.data?.length === 0 && (
        <Empty title="There is no source">
          Without one no signal comes in, and no play starts. Write the systems that send signals into sources.yaml of
          the configuration, then start the installation again.
        </Empty>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, xl: 3 }}>
        {sources.isPending && [1, 2, 3, 4].map((n) => <Skeleton key={n} h={230} />)}
        {sources.data?.map((source) => (
          <SourceCard key={source.name} source={source} />
        ))}
      </SimpleGrid>
    </Section>
  );
}

function SourceCard({ source }: { readonly source: Source }) {
  const { name, via, lastHour, lastDay, rejectedBy } = source;
  return (
    <Card withBorder component="section" aria-label={name}>
      <Group justify="space-between" align="baseline">
        <Title order={2} size="h4">
          {name}
        </Title>
        <Text size="sm" c="dimmed">
          {via === null ? 'no longer set up' : via === 'http' ? 'over HTTP' : 'over Kafka'}
        </Text>
      </Group>
      <Heard source={source} />
      <Table mt="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Td />
            <Table.Th scope="col" className="numbers">
              accepted
            </Table.Th>
            <Table.Th scope="col" className="numbers">
              rejected
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          <Counts label="last hour" counts={lastHour} />
          <Counts label="last 24 hours" counts={lastDay} />
        </Table.Tbody>
      </Table>
      {rejectedBy.length > 0 && (
        <List size="sm" mt="sm" spacing={4}>
          {rejectedBy.map(({ code, title, n }) => (
            <List.Item key={code}>
              <Anchor
                size="sm"
                renderRoot={(props) => <Link {...props} to="/sources/rejected" search={{ source: name, code }} />}
              >
                {title}
              </Anchor>
              : {n.toLocaleString()}
            </List.Item>
          ))}
        </List>
      )}
    </Card>
  );
}

function Heard({ source: { state, acceptedAt, rejectedAt } }: { readonly source: Source }) {
  const last = [acceptedAt, rejectedAt]
    .filter((at) => at !== null)
    .sort()
    .at(-1);
  switch (state) {
    case 'never':
      return <Standing tone="waiting">Nothing heard yet. Its key or its address may not be set up.</Standing>;
    case 'quiet':
      return (
        <Standing tone="bad">
          Nothing heard for a day. The last signal came {last === undefined ? 'long ago' : <When at={last} />}.
        </Standing>
      );
    case 'rejected':
      return <Standing tone="bad">More is rejected than accepted. See the reasons below.</Standing>;
    case 'heard':
      return <Standing tone="good">Last heard {last === undefined ? 'today' : <When at={last} />}</Standing>;
  }
}

const Counts = ({ label, counts }: { readonly label: string; readonly counts: Source['lastHour'] }) => (
  <Table.Tr>
    <Table.Th scope="row" fw={400}>
      {label}
    </Table.Th>
    <Table.Td className="numbers">{counts.accepted.toLocaleString()}</Table.Td>
    <Table.Td className="numbers">{counts.rejected.toLocaleString()}</Table.Td>
  </Table.Tr>
);
