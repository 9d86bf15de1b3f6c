import { List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type Queue, queueQuery } from '../pages/now/now.queries.js';
import { capital } from './capital.js';
import { actionText } from './named.js';
import { PageLink, storyPath } from './page-link.js';
import { Problem } from './problem.js';
import { scopeWords } from './scope.js';
import { useNow } from './use-now.js';

/** What a stop of this scope reaches, without the time of the answer; undefined while it is not known, and without a scope. */
export function useReach(scope: string | undefined): Omit<Queue, 'at'> | undefined {
  const { data } = useQuery({ ...queueQuery(scope ?? 'all'), enabled: scope !== undefined });
  if (scope === undefined || data === undefined) return undefined;
  const { at: _, ...reach } = data;
  return reach;
}

/** What an approval comes to while a stop holds. The card of the review says the same. */
export const approvedUnder =
  'What is approved while the stop holds does not run and cannot be approved later. Answer after the resume, or reject.';

/** The place of the figures while it is not known what to stop. */
export const ReachComing = ({ family }: { readonly family: string }) => (
  <div className="reach">
    <Text size="sm" fw={600}>
      What this does
    </Text>
    <Text size="sm">Choose which {family} to stop. Then you see here what the stop does.</Text>
  </div>
);

/** What a stop reaches, in figures. */
export function Reach({ scope }: { readonly scope: string }) {
  const queue = useQuery(queueQuery(scope));
  const { data } = queue;
  return (
    <div className="reach">
      <Text size="sm" fw={600}>
        What this does
      </Text>
      <List size="sm">
        <List.Item>
          Nothing new {scope === 'all' ? '' : `of ${scopeWords({ scope, name: data?.name ?? null })} `}is approved.
        </List.Item>
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
              ? 'It touches no review: none waits for a person.'
              : `${counted(data.reviews.count, 'review waits', 'reviews wait')} for a person. ${approvedUnder}`}
          </List.Item>
        )}
      </List>
      {queue.isError && (
        <>
          <Problem error={queue.error} again={() => void queue.refetch()} />
          <Text size="sm">How much this reaches is not known now. You can stop it all the same.</Text>
        </>
      )}
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
        {named.map((action) => (
          <List.Item key={action.actionId}>
            <PageLink to={storyPath(action.proposalId)} target="_blank">
              {capital(actionText(action.detail, action, now))}
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
  const queue = useQuery(queueQuery(scope));
  const { approved, reviews, tasks } = queue.data ?? {};
  return (
    <div>
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
              ? 'No review waits for a person.'
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
      {queue.isError && (
        <>
          <Problem error={queue.error} again={() => void queue.refetch()} />
          <Text size="sm">How much waits is not known now. You can resume it all the same.</Text>
        </>
      )}
    </div>
  );
}

/** After a stop: how many actions have not settled yet. The number falls to zero as executors refuse the actions that become due. */
export function StillOpen({ scope }: { readonly scope: string }) {
  const queue = useQuery({ ...queueQuery(scope), refetchInterval: 1_000 });
  if (queue.isError) return <Problem error={queue.error} again={() => void queue.refetch()} />;
  if (!queue.data) return null;
  const { count } = queue.data.approved;
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
