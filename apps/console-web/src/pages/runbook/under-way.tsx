import { Anchor, List, Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { capital } from '../../parts/capital.js';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { queueQuery } from '../now/now.queries.js';

/** What is under way in a scope, with the first items of each sort. */
export function UnderWay({ scope }: { readonly scope: string }) {
  const queue = useQuery({ ...queueQuery(scope), refetchInterval: 2_000 });
  if (queue.isError) return <Problem error={queue.error} again={() => void queue.refetch()} />;
  if (!queue.data) return <Skeleton h={120} />;
  const { tasks, reviews, approved } = queue.data;
  return (
    <List spacing="sm" aria-label="Under way" listStyleType="none">
      <List.Item>
        <Text fw={600}>
          {count(approved.count, 'approved action has', 'approved actions have')} not settled
          {approved.count > 0 && `; ${approved.due.toLocaleString()} may be called this moment`}
        </Text>
        {approved.first.slice(0, shown).map(({ actionId, detail, notBefore }) => (
          <Text key={actionId} size="sm" c="dimmed" mt={4}>
            {capital(short(detail))}, due <When at={notBefore} />
          </Text>
        ))}
      </List.Item>
      <List.Item>
        <Text fw={600}>{count(reviews.count, 'review waits', 'reviews wait')} for a person</Text>
        {reviews.first.slice(0, shown).map(({ id, detail, deadline }) => (
          <Text key={id} size="sm" c="dimmed" mt={4}>
            <Anchor component={Link} to={`/reviews/${id}`} inherit underline="always">
              {capital(short(detail))}
            </Anchor>
            , answer due <When at={deadline} />
          </Text>
        ))}
      </List.Item>
      <List.Item>
        <Text fw={600}>{count(tasks.count, 'task waits', 'tasks wait')} for an answer of an agent</Text>
        {tasks.first.slice(0, shown).map(({ taskId, agent, purpose, dueAt }) => (
          <Text key={taskId} size="sm" c="dimmed" mt={4}>
            {purpose} ({agent}), due <When at={dueAt} />
          </Text>
        ))}
      </List.Item>
    </List>
  );
}

const shown = 5;
/** The beginning of its id distinguishes one contact from another. */
const short = (detail: string): string => detail.replace(/\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '$1…');
const count = (n: number, single: string, several: string): string =>
  `${n.toLocaleString()} ${n === 1 ? single : several}`;
