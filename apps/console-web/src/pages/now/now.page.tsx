import { Card, Group, SimpleGrid, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';

/** The way from signals to effects, in numbers. */
export function NowPage() {
  const funnel = useQuery({ queryKey: ['funnel'], queryFn: () => answerOf(api.GET('/v1/funnel')) });
  const stages = funnel.data && [
    { name: 'Signals', ...columns(funnel.data.signals) },
    { name: 'Tasks', ...columns(funnel.data.tasks) },
    { name: 'Verdicts', ...columns(funnel.data.verdicts) },
    { name: 'Reviews', ...columns(funnel.data.reviews) },
    { name: 'Effects', ...columns(funnel.data.settled) },
  ];
  return (
    <Stack>
      <title>Now · Countersign</title>
      <Title order={1} size="h2">
        Now
      </Title>
      {funnel.isError && <Problem error={funnel.error} again={() => void funnel.refetch()} />}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {stages
          ? stages.map(({ name, rows }) => (
              <Card key={name} withBorder component="section" aria-label={name}>
                <Group justify="space-between">
                  <Title order={2} size="h4">
                    {name}
                  </Title>
                </Group>
                <Table>
                  <Table.Tbody>
                    {rows.map(([label, n]) => (
                      <Table.Tr key={label}>
                        <Table.Th scope="row" fw={400}>
                          {label}
                        </Table.Th>
                        <Table.Td className="numbers">{n.toLocaleString()}</Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </Card>
            ))
          : ['Signals', 'Tasks', 'Verdicts', 'Reviews', 'Effects'].map((name) => <Skeleton key={name} h={220} />)}
      </SimpleGrid>
      {funnel.data && (
        <Text size="sm" c="dimmed">
          Counted <When at={funnel.data.at} />
        </Text>
      )}
    </Stack>
  );
}

/** The numbers of a stage; what is a list of its own is left to its page. */
const columns = (stage: object): { readonly rows: readonly (readonly [string, number])[] } => ({
  rows: Object.entries(stage).flatMap(([label, n]) => (typeof n === 'number' ? [[label, n] as const] : [])),
});
