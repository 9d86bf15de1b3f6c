import { Alert, List, Loader, Text } from '@mantine/core';
import { IconBan, IconCheck, IconCircleX, IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { capital } from '../../parts/capital.js';
import { PageLink, playPath } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { clock, full } from '../../parts/times.js';
import { useNow } from '../../parts/use-now.js';
import { When } from '../../parts/when.js';
import { type Subjects, withoutIds } from './facts.js';
import { afterRefusal } from './loss.js';
import { type Result, type Review, resultQuery } from './reviews.queries.js';

/** What somebody did with the card. */
export const acts: Readonly<Record<Result['decision'], string>> = {
  approve: 'approved it',
  edit: 'changed it',
  reject: 'rejected it',
};
const outcomes: Readonly<Record<NonNullable<Result['settlement']>['outcome'], string>> = {
  executed: 'Done: it was carried out.',
  failed: 'It was tried and failed.',
  refused: 'It was stopped before it ran.',
  expired: 'Its time passed before it ran.',
  unresolved: 'Nobody knows yet whether it was carried out. A person has to look.',
  undone: 'It was carried out and taken back.',
};

interface Props {
  readonly reviewId: string;
  readonly me: string | undefined;
  readonly play: Review['play'];
  readonly subjects: Subjects;
}

/** The result of an answer. It waits for the verdict, then for the effect, and shows what is known at each moment. */
export function ResultView({ reviewId, me, play, subjects }: Props) {
  const result = useQuery(resultQuery(reviewId));
  if (result.isError && !result.data) return <Problem error={result.error} again={() => void result.refetch()} />;
  if (!result.data)
    return (
      <Text role="status">
        <Loader size="xs" mr="xs" /> Loading the result of the answer
      </Text>
    );
  const { by, decision, at } = result.data;
  return (
    <Alert {...looks(result.data)} role="status" aria-live="polite">
      <Text size="sm">
        {by === me ? 'You' : by} {acts[decision]} <When at={at} />.
      </Text>
      {result.data.subject.kind === 'checkpoint' ? (
        <TasksBecame result={result.data} subjects={subjects} play={play} />
      ) : (
        <Became result={result.data} subjects={subjects} play={play} />
      )}
    </Alert>
  );
}

function looks({ state, settlement, subject }: Result): { color: string; title: string; icon: React.ReactNode } {
  switch (state) {
    case 'waiting':
      return {
        color: 'blue',
        title: subject.kind === 'checkpoint' ? 'Sent. The tasks are not out yet' : 'Sent. Waiting for the verdict',
        icon: <Loader size={18} aria-hidden />,
      };
    case 'set-aside':
      return { color: 'orange', title: 'This answer had no effect', icon: <IconInfoCircle aria-hidden /> };
    case 'refused':
      return { color: 'red', title: 'Refused: nothing runs', icon: <IconBan aria-hidden /> };
    case 'rejected':
      return {
        color: 'gray',
        title: subject.kind === 'checkpoint' ? 'Rejected: no task goes out' : 'Rejected',
        icon: <IconCircleX aria-hidden />,
      };
    case 'tasks-assigned':
      return { color: 'green', title: 'Approved: the tasks went out', icon: <IconCheck aria-hidden /> };
    case 'withheld':
      return { color: 'orange', title: 'Approved, but no task went out', icon: <IconInfoCircle aria-hidden /> };
    case 'approved':
      return settlement === null || settlement.outcome === 'executed' || settlement.outcome === 'undone'
        ? { color: 'green', title: 'Approved', icon: <IconCheck aria-hidden /> }
        : { color: 'orange', title: 'Approved', icon: <IconInfoCircle aria-hidden /> };
  }
}

/** What came of an answer to a checkpoint. How it ended without its tasks is on the card. */
function TasksBecame({ result, subjects, play }: BecameProps) {
  const now = useNow(1_000);
  const words = (): string => {
    switch (result.state) {
      case 'waiting':
        return now - Date.parse(result.at) > 10_000
          ? 'The services take longer than usual. The answer is kept and nothing has to be sent again. This page shows what came of it as soon as it is known.'
          : 'Before the tasks go out, Countersign checks once more that nothing is stopped and that the play has not changed.';
      case 'tasks-assigned':
        return 'The agents work on them now. What they propose is judged on its own.';
      case 'rejected':
        return 'This run of the play is over.';
      case 'set-aside':
        return `${capital(withoutIds(result.detail.replace(/^set aside: /, ''), subjects, now))}.`;
      case 'withheld':
      case 'approved':
      case 'refused':
        return capital(withoutIds(result.detail, subjects, now));
    }
  };
  return (
    <Text size="sm">
      {words()} {result.state !== 'waiting' && <PageLink to={playPath(play.id)}>The play “{play.title}”</PageLink>}
    </Text>
  );
}

interface BecameProps {
  readonly result: Result;
  readonly subjects: Subjects;
  readonly play: Review['play'];
}

function Became({ result, subjects, play }: BecameProps) {
  const now = useNow(1_000);
  const plain = (detail: string): string => capital(withoutIds(detail, subjects, now));
  const waitedMs = now - Date.parse(result.at);
  switch (result.state) {
    case 'waiting':
      return (
        <Text size="sm">
          {waitedMs > 10_000
            ? 'The services take longer than usual. The answer is kept and nothing has to be sent again. This page shows the verdict as soon as there is one.'
            : 'The rules are applied once more to the facts of this moment.'}
        </Text>
      );
    case 'set-aside':
      return <Text size="sm">{plain(result.detail.replace(/^set aside: /, ''))}</Text>;
    case 'refused': {
      const reasons = result.reasons.filter(({ detail }) => result.detail.includes(detail));
      return (
        <>
          <List size="sm">
            {reasons.map(({ rule, detail }) => (
              <List.Item key={rule + detail}>
                {plain(detail)} (rule {rule})
              </List.Item>
            ))}
          </List>
          <Text size="sm" mt="xs">
            {afterRefusal(reasons)} <PageLink to={playPath(play.id)}>The play “{play.title}”</PageLink>
          </Text>
        </>
      );
    }
    case 'rejected':
      return <Text size="sm">Nothing runs.</Text>;
    // Only of a checkpoint.
    case 'tasks-assigned':
    case 'withheld':
      return null;
    case 'approved': {
      const { settlement, runsFrom } = result;
      if (settlement)
        return (
          <Text size="sm">
            {outcomes[settlement.outcome]} Settled at {clock(settlement.at, now)}.{' '}
            {settlement.detail !== null && plain(settlement.detail)}
          </Text>
        );
      return runsFrom !== null && Date.parse(runsFrom) > now ? (
        <Text size="sm" title={full(runsFrom)}>
          It runs at {clock(runsFrom, now)}, if no rule or stop forbids it then.
        </Text>
      ) : (
        <Text size="sm">It is being carried out. This page shows the result as soon as it is known.</Text>
      );
    }
  }
}
