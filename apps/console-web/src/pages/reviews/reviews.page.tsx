import { Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Empty } from '../../parts/empty.js';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { openReviewsQuery } from './reviews.queries.js';

/** What waits for a person, the nearest deadline first. */
export function ReviewsPage() {
  const reviews = useQuery(openReviewsQuery);
  const cards = reviews.data?.toSorted((a, b) => (a.deadline < b.deadline ? -1 : 1));
  return (
    <Stack>
      <title>Reviews · Countersign</title>
      <Title order={1} size="h2">
        Reviews
      </Title>
      {reviews.isError && <Problem error={reviews.error} again={() => void reviews.refetch()} />}
      {reviews.isPending && <Skeleton h={88} />}
      {cards?.length === 0 && (
        <Empty title="Nothing waits for you">
          What a rule does not decide by itself appears here, with its deadline. If nobody answers by then, it is
          refused.
        </Empty>
      )}
      {cards?.map((card) => (
        <Card key={card.id} withBorder component={Link} to={`/reviews/${card.id}`}>
          <Group justify="space-between">
            <Text fw={600}>{card.detail}</Text>
            <Text size="sm">
              Answer by <When at={card.deadline} />
            </Text>
          </Group>
          <Text size="sm" c="dimmed">
            {card.play.title}
          </Text>
        </Card>
      ))}
    </Stack>
  );
}
