import { Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { reviewQuery } from './reviews.queries.js';

/** One review. */
export function ReviewPage() {
  const { subjectId } = useParams({ from: '/signed-in/reviews/$subjectId' });
  const review = useQuery(reviewQuery(subjectId));
  if (review.isError) return <Problem error={review.error} again={() => void review.refetch()} />;
  if (!review.data) return <Skeleton h={400} />;
  const card = review.data;
  return (
    <Stack>
      <title>Review · Countersign</title>
      <Title order={1} size="h2">
        {card.detail}
      </Title>
      <Text>
        Answer by <When at={card.deadline} />. If nobody answers, it is refused.
      </Text>
    </Stack>
  );
}
