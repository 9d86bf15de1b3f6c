import { Alert, Anchor, Button, Group, List, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconClock } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { ApiProblem } from '../../app/api.js';
import { type Draft, drafts } from '../../app/drafts.js';
import { useKeys } from '../../app/keys.js';
import { useAuthor, useMay, useSession } from '../../app/session.js';
import type { Control } from '../../parts/controls.js';
import { Id } from '../../parts/id.js';
import { PageLink, storyPath } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { sentence } from '../../parts/sentence.js';
import { clock, full } from '../../parts/times.js';
import { useNow } from '../../parts/use-now.js';
import { When } from '../../parts/when.js';
import { ActionView } from './action-view.js';
import { AnswerBar } from './answer-bar.js';
import { Changed } from './changed.js';
import { EditForm } from './edit-form.js';
import { AgentWords, Evidence, Why } from './facts.js';
import { SinceAsked } from './live-verdict.js';
import { inOrder } from './queue.js';
import { categoryWords, RejectDialog } from './reject-dialog.js';
import { acts, ResultView } from './result.js';
import { openReviewsQuery, type Review, reviewQuery } from './reviews.queries.js';
import { Stopped, useStops } from './stopped.js';
import { approvalUnder } from './stops.js';
import { Touches } from './touches.js';
import { isUnknown, useAnswer } from './use-answer.js';
import { useLiveVerdict } from './use-live-verdict.js';
import { useLooked } from './use-looked.js';

/** One review: the card, the answer, and its result. */
export function ReviewPage() {
  const { subjectId } = useParams({ from: '/signed-in/reviews/$subjectId' });
  const review = useQuery(reviewQuery(subjectId));
  const { stops, waits } = useStops(review.data);
  const neighbours = useNeighbours(subjectId);
  return (
    <Stack maw={860}>
      <title>Review · Countersign</title>
      <Group justify="space-between">
        <Anchor component={Link} to="/reviews" size="sm">
          All reviews
        </Anchor>
        {neighbours.next && (
          <Anchor component={Link} to={`/reviews/${neighbours.next}`} size="sm">
            Next review
          </Anchor>
        )}
      </Group>
      {review.isError && <Problem error={review.error} again={() => void review.refetch()} />}
      {review.data && !waits ? (
        <Card key={subjectId} card={review.data} stops={stops} />
      ) : (
        !review.isError && <Skeleton h={560} />
      )}
    </Stack>
  );
}

function useNeighbours(subjectId: string): { readonly next?: string | undefined } {
  const navigate = useNavigate();
  const open = useInfiniteQuery(openReviewsQuery);
  const ids = inOrder(open.data?.cards ?? [], Date.now()).map(({ id }) => id);
  const place = ids.indexOf(subjectId);
  const next = ids[place + 1];
  const before = place > 0 ? ids[place - 1] : undefined;
  const go = (id: string | undefined) => id && (() => void navigate({ to: `/reviews/${id}` }));
  useKeys({ j: go(next) || undefined, k: go(before) || undefined });
  return { next };
}

function Card({ card, stops }: { readonly card: Review; readonly stops: readonly Control[] | undefined }) {
  // The content that the reader has read. If the content under the same id changes, the page asks the reader to read it first.
  const [read, setRead] = useState(card);
  const session = useSession();
  const draft = useDraft(card, useAuthor());
  const [mode, setMode] = useState<'read' | 'edit' | 'reject'>(draft.begun() ?? 'read');
  const looked = useLooked(card.id);
  const answer = useAnswer(card, looked);
  const mayReview = useMay('reviewer');
  const now = useNow(1_000);
  const changed = read.digest !== card.digest;
  const given = card.answers.findLast(({ setAside }) => setAside === null);
  const aside = card.answers.findLast(({ setAside }) => setAside !== null);
  const reviewId = given?.reviewId ?? (card.state === 'open' && aside ? undefined : answer.data?.reviewId);
  const over = Date.parse(card.deadline) <= now;
  const listed = session !== undefined && card.reviewers.includes(session.person);
  const open = card.state === 'open' && !over && reviewId === undefined;
  const may = open && !changed && mayReview && listed;
  const second = given !== undefined && answer.error instanceof ApiProblem && answer.error.status === 409;
  const again = reviewId === undefined && isUnknown(answer.error) && answer.variables ? answer.variables : undefined;
  const { live, asking, again: askAgain } = useLiveVerdict(card, may);
  const edits = mode === 'edit' && card.subject === 'proposal' && may;
  const giveUp = (begun: Draft['mode']) => {
    draft.forget(begun);
    setMode('read');
  };
  useKeys({
    a: may ? () => document.getElementById('approve')?.focus() : undefined,
    e: may && card.subject === 'proposal' ? () => setMode('edit') : undefined,
    r: may ? () => setMode('reject') : undefined,
  });
  return (
    <>
      <div>
        <Title order={1} size="h2" className="written">
          {sentence(card)}
        </Title>
        <Text>
          {card.subject === 'proposal' ? `${card.facts.agent} asks, in the play` : 'Asked by the play'} “
          {card.play.title}”. <Id id={card.id} label="id of this review" />{' '}
          <PageLink to={storyPath(card.id)}>
            {card.subject === 'proposal' ? 'The story of this proposal' : 'What happened so far'}
          </PageLink>
        </Text>
        <Deadline card={card} over={over} now={now} />
      </div>
      {open && stops && <Stopped card={card} stops={stops} />}
      {card.subject === 'proposal' && !stops?.length && <SinceAsked card={card} live={live} />}
      {open && !stops && <Text>Whether something stops this is not known now.</Text>}
      {changed && <Changed before={read} now={card} onRead={() => setRead(card)} />}
      {second && (
        <Alert color="orange" role="alert" title="Your answer came second" icon={<IconAlertTriangle aria-hidden />}>
          {given.by === session?.person ? 'You' : given.by} {acts[given.decision]} before your answer arrived. Nothing
          was done with your answer.
        </Alert>
      )}
      {reviewId !== undefined && (
        <ResultView
          reviewId={reviewId}
          me={session?.person}
          people={card.subject === 'proposal' ? card.facts.people : undefined}
        />
      )}
      {reviewId === undefined && aside && card.state === 'open' && (
        <Alert
          color="orange"
          title={`The answer of ${aside.by} had no effect`}
          icon={<IconAlertTriangle aria-hidden />}
        >
          {aside.setAside?.detail}. It waits for an answer again.
        </Alert>
      )}
      {given?.note && (
        <Text>
          {given.by} noted: “<span className="written">{given.note}</span>”
        </Text>
      )}
      {given?.category && <Text>Reason: {categoryWords(given.category)}</Text>}
      <Part title="Why you are asked">
        <Why card={card} />
      </Part>
      {edits ? (
        <EditForm
          card={card}
          draft={draft.find('edit')}
          onDraft={draft.save}
          sending={answer.isPending}
          error={answer.error}
          onSend={answer.mutate}
          onCancel={() => giveUp('edit')}
        />
      ) : (
        <Part title={card.subject === 'proposal' ? 'What it does' : 'What starts'}>
          {card.subject === 'proposal' ? (
            <ActionView
              kind={card.action.kind}
              payload={card.action.payload}
              facts={card.facts}
              askedAt={card.escalatedAt}
            />
          ) : (
            <List>
              {card.facts.tasks.map((task) => (
                <List.Item key={task.taskId}>
                  {task.purpose} ({task.agent}, due <When at={task.dueAt} />; it may propose {task.kinds.join(', ')})
                </List.Item>
              ))}
            </List>
          )}
        </Part>
      )}
      {card.subject === 'proposal' && (
        <Part title="What it touches">
          <Touches
            facts={card.facts}
            regions={card.regions}
            countedAt={card.escalatedAt}
            now={live.state === 'known' ? live.judged : undefined}
          />
        </Part>
      )}
      <Part title="What happened before">
        <Evidence card={card} />
      </Part>
      {card.subject === 'proposal' && (
        <Part title="What the agent says">
          <AgentWords card={card} />
        </Part>
      )}
      {session === undefined && draft.begun() !== undefined && (
        <Text role="status">What you began to write is kept in this tab. Sign in again to go on with it.</Text>
      )}
      {again && (
        <Alert
          color="orange"
          role="alert"
          title="We do not know whether your answer arrived"
          icon={<IconAlertTriangle aria-hidden />}
        >
          <Text size="sm" mb="xs">
            The connection broke while it was on its way. Send the same answer again: if it has arrived, nothing happens
            twice.
          </Text>
          <Button size="sm" onClick={() => answer.mutate(again)} loading={answer.isPending}>
            Send the same answer again
          </Button>
        </Alert>
      )}
      {answer.isError && !again && reviewId === undefined && !edits && <Problem error={answer.error} />}
      {may && !edits && !again && (
        <AnswerBar
          card={card}
          sending={answer.isPending}
          live={live}
          stopped={stops && stops.length > 0 ? approvalUnder(card, stops) : undefined}
          onApprove={() => answer.mutate({ decision: 'approve' })}
          onEdit={card.subject === 'proposal' ? () => setMode('edit') : undefined}
          onAskAgain={card.subject === 'proposal' ? askAgain : undefined}
          asking={asking}
          onReject={() => setMode('reject')}
        />
      )}
      {open && !(mayReview && listed) && (
        <Text c="dimmed">
          {listed ? 'To answer, you need the role reviewer.' : `${card.reviewers.join(' or ')} can answer this.`}
        </Text>
      )}
      {mode === 'reject' && may && (
        <RejectDialog
          draft={draft.find('reject')}
          onDraft={draft.save}
          onClose={() => giveUp('reject')}
          onReject={(why) => {
            setMode('read');
            answer.mutate({ decision: 'reject', ...why });
          }}
        />
      )}
    </>
  );
}

/** The drafts of this person for the content of the card. They are restored after the person left the page or the session ended. */
function useDraft({ id, digest, state }: Review, author: string | undefined) {
  const place = author === undefined ? undefined : { person: author, id, digest };
  const find = (mode: Draft['mode']) => place && drafts().find(place, mode);
  const forget = (mode?: Draft['mode']) => place && drafts().forget(place, mode);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer is no draft any more, whoever gave it
  useEffect(() => {
    if (state !== 'open') forget();
  }, [state]);
  return {
    find,
    /** A rejection can begin while an edit is open, but not the reverse. */
    begun: () => (find('reject') ?? find('edit'))?.mode,
    save: (draft: Draft) => place && drafts().save(place, draft),
    forget,
  };
}

function Deadline({ card, over, now }: { readonly card: Review; readonly over: boolean; readonly now: number }) {
  if (card.state === 'expired' || (card.state === 'open' && over))
    return <Text fw={600}>The deadline has passed ({full(card.deadline)}). Nobody answered, so it is refused.</Text>;
  if (card.state === 'superseded')
    return <Text fw={600}>A changed version took its place. This one does not run.</Text>;
  if (card.state !== 'open') return null;
  return (
    <Text className="due" title={full(card.deadline)}>
      <IconClock size={16} aria-hidden /> Answer by {clock(card.deadline, now)} (<When at={card.deadline} />
      ). If nobody answers, it is refused.
    </Text>
  );
}

const Part = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section>
    <Title order={2} size="h4" mb="xs">
      {title}
    </Title>
    {children}
  </section>
);
