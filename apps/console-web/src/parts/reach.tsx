import { List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { queueQuery } from '../pages/now/now.queries.js';
import { scopeWords } from './scope.js';

/** What a stop reaches, in figures. */
export function Reach({ scope }: { readonly scope: string }) {
  const { data } = useQuery(queueQuery(scope));
  return (
    <div>
      <Text size="sm" fw={600}>
        What this does
      </Text>
      <List size="sm">
        <List.Item>Nothing new {scope === 'all' ? '' : `of ${scopeWords(scope)} `}is approved.</List.Item>
        <List.Item>
          What was approved and has not been sent out yet does not run
          {data && `: ${counted(data.approved.count, 'action', 'actions')}`}.
        </List.Item>
        <List.Item>
          A call that is being made this moment may still end. What was done stays done.
          {data && data.approved.due > 0 && ` This may be so for ${counted(data.approved.due, 'action', 'actions')}.`}
        </List.Item>
        {data && data.tasks.count > 0 && (
          <List.Item>
            {counted(data.tasks.count, 'task has', 'tasks have')} no answer yet; what an agent proposes for{' '}
            {data.tasks.count === 1 ? 'it' : 'them'} is refused.
          </List.Item>
        )}
        {data && (
          <List.Item>
            {data.reviews.count === 0
              ? 'Nothing waits for a person.'
              : `${counted(data.reviews.count, 'review waits', 'reviews wait')} for a person; approving ${data.reviews.count === 1 ? 'it' : 'them'} has no effect until you resume.`}
          </List.Item>
        )}
      </List>
    </div>
  );
}

/** After a stop: how much of it has not settled yet. It goes to zero as executors refuse what comes to be due. */
export function StillOpen({ scope }: { readonly scope: string }) {
  const { data } = useQuery({ ...queueQuery(scope), refetchInterval: 1_000 });
  if (!data) return null;
  const { count } = data.approved;
  return (
    <Text size="sm">
      {count === 0
        ? 'Nothing that was approved is left to run.'
        : `${counted(count, 'approved action has', 'approved actions have')} not settled yet. What comes to be due now is refused.`}
    </Text>
  );
}

const counted = (n: number, single: string, several: string): string =>
  `${n.toLocaleString()} ${n === 1 ? single : several}`;
