import { Card, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { guides } from './guides.js';

/** What to do when something is wrong. Each guide does it step by step. */
export function RunbookPage() {
  return (
    <Stack>
      <title>Runbook · Countersign</title>
      <Title order={1} size="h2">
        Runbook
      </Title>
      <Text>
        Choose what has happened. Each guide shows what an act does before you do it, and what is known afterwards.
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        {guides.map(({ guide, title, when }) => (
          <Card key={guide} withBorder component={Link} to={`/runbook/${guide}`}>
            <Title order={2} size="h4" c="var(--mantine-color-anchor)">
              {title}
            </Title>
            <Text size="sm" c="dimmed">
              {when}
            </Text>
          </Card>
        ))}
      </SimpleGrid>
    </Stack>
  );
}
