import { Anchor, List, Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { time } from '../../app/console-time.js';
import { capital } from '../../parts/capital.js';
import { actionText } from '../../parts/named.js';
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
        {approved.first.slice(0, shown).map((action) => (
          <Text key={action.actionId} size="sm" c="dimmed" mt={4}>
            {capital(short(action.detail, action))}, due <When at={action.notBefore} />
          </Text>
        ))}
      </List.Item>
      <List.Item>
        <Text fw={600}>{count(reviews.count, 'review waits', 'reviews wait')} for a person</Text>
        {reviews.first.slice(0, shown).map(({ id, detail, campaigns, deadline }) => (
          <Text key={id} size="sm" c="dimmed" mt={4}>
            <Anchor component={Link} to={`/reviews/${id}`} inherit underline="always">
              {capital(short(detail, { people: [], campaigns }))}
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
/** A card's text describes a contact and adds the id in brackets. */
const described = / \(contact [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\)/g;
const short = (detail: string, named: Parameters<typeof actionText>[1]): string =>
  actionText(detail.replace(described, ''), named, time.now());
const count = (n: number, single: string, several: string): string =>
  `${n.toLocaleString()} ${n === 1 ? single : several}`;
