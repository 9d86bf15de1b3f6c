import { List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type Queue, queueQuery } from '../pages/now/now.queries.js';
import { capital } from './capital.js';
import { PageLink, storyPath } from './page-link.js';
import { plainReason, withoutContacts } from './reason.js';
import { scopeWords } from './scope.js';
import { useNow } from './use-now.js';

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
        <List.Item>A call that is being made this moment may still end. What was done stays done.</List.Item>
        {data && data.approved.due > 0 && (
          <List.Item>
            <Due approved={data.approved} />
          </List.Item>
        )}
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

/** The number of actions that are named. The guide Stop lists the others. */
const mostNamed = 5;

/** What an executor may already be calling. The list is in the order of due times, so it begins with these actions. */
function Due({ approved: { due, first } }: { readonly approved: Queue['approved'] }) {
  const now = useNow(60_000);
  const named = first.slice(0, Math.min(due, mostNamed));
  return (
    <>
      {counted(due, 'action', 'actions')} may be called this moment and cannot be stopped once the call has begun:
      <List size="sm" spacing={8} withPadding aria-label="May be called this moment">
        {named.map(({ proposalId, actionId, detail }) => (
          <List.Item key={actionId}>
            <PageLink to={storyPath(proposalId)} inherit underline="always" target="_blank">
              {capital(plainReason(withoutContacts(detail), new Map(), now))}
            </PageLink>
          </List.Item>
        ))}
      </List>
      {due > named.length && `and ${(due - named.length).toLocaleString()} more.`}
    </>
  );
}

/** Before a resume: what continues with it, and what does not. */
export function StartsAgain({ scope }: { readonly scope: string }) {
  const { data } = useQuery(queueQuery(scope));
  const { approved, reviews, tasks } = data ?? {};
  return (
    <List size="sm">
      <List.Item>New proposals are judged again.</List.Item>
      {tasks && tasks.count > 0 && (
        <List.Item>
          {counted(tasks.count, 'task has', 'tasks have')} no answer yet; what an agent proposes for{' '}
          {tasks.count === 1 ? 'it' : 'them'} is judged again.
        </List.Item>
      )}
      {reviews && (
        <List.Item>
          {reviews.count === 0
            ? 'Nothing waits for a person.'
            : `${counted(reviews.count, 'review waits', 'reviews wait')} for a person; approving ${reviews.count === 1 ? 'it' : 'them'} has an effect again.`}
        </List.Item>
      )}
      <List.Item>
        What was approved before the stop does not run: its approval ended with the stop
        {approved && approved.count > 0
          ? `. ${counted(approved.count, 'such action has', 'such actions have')} not settled yet.`
          : '.'}
      </List.Item>
    </List>
  );
}

/** After a stop: how many actions have not settled yet. The number falls to zero as executors refuse the actions that become due. */
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
