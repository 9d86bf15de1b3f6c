import { Alert, Anchor, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconClock } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { ApiProblem } from '../../app/api.js';
import { time } from '../../app/console-time.js';
import { type Draft, drafts } from '../../app/drafts.js';
import { useKeys } from '../../app/keys.js';
import { fresh } from '../../app/queries.js';
import { useAuthor, useMay, useSession } from '../../app/session.js';
import { capital } from '../../parts/capital.js';
import { Id } from '../../parts/id.js';
import { PageLink, storyPath } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { plainText } from '../../parts/reason.js';
import { categoryWords } from '../../parts/rejection-words.js';
import { sentence } from '../../parts/sentence.js';
import { clock, full } from '../../parts/times.js';
import { useLooked } from '../../parts/use-looked.js';
import { useNow } from '../../parts/use-now.js';
import { When } from '../../parts/when.js';
import { ActionView } from './action-view.js';
import { AllTheSame } from './all-the-same.js';
import { AnswerBar } from './answer-bar.js';
import { Changed } from './changed.js';
import { Concerned, Ended, PlayChanged, Tasks } from './checkpoint.js';
import { dryRunKey } from './dry-run.js';
import { EditForm } from './edit-form.js';
import { AgentWords, Evidence, Why } from './facts.js';
import { RulesNow } from './live-verdict.js';
import { lossOf } from './loss.js';
import { inOrder } from './queue.js';
import { RejectDialog } from './reject-dialog.js';
import { acts, ResultView } from './result.js';
import { openReviewsQuery, type Review, reviewQuery } from './reviews.queries.js';
import { Stopped } from './stopped.js';
import { Touches } from './touches.js';
import { type Answer, isUnknown, useAnswer } from './use-answer.js';
import { useLiveVerdict } from './use-live-verdict.js';
import { liveVerdict } from './verdict-words.js';

/** One review: the card, the answer, and its result. */
export function ReviewPage() {
  const { subjectId } = useParams({ from: '/signed-in/reviews/$subjectId' });
  const review = useQuery(reviewQuery(subjectId));
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
      {review.data ? <Card key={subjectId} card={review.data} /> : !review.isError && <Skeleton h={560} />}
    </Stack>
  );
}

function useNeighbours(subjectId: string): { readonly next?: string | undefined } {
  const navigate = useNavigate();
  const open = useInfiniteQuery(openReviewsQuery);
  const ids = inOrder(open.data?.cards ?? [], time.now()).map(({ id }) => id);
  const place = ids.indexOf(subjectId);
  const next = ids[place + 1];
  const before = place > 0 ? ids[place - 1] : undefined;
  const go = (id: string | undefined) => id && (() => void navigate({ to: `/reviews/${id}` }));
  useKeys({ j: go(next) || undefined, k: go(before) || undefined });
  return { next };
}

function Card({ card }: { readonly card: Review }) {
  // The content that the reader has read. If the content under the same id changes, the page asks the reader to read it first.
  const [read, setRead] = useState(card);
  const session = useSession();
  const draft = useDraft(card, useAuthor());
  const [mode, setMode] = useState<'read' | 'edit' | 'reject'>(draft.begun() ?? 'read');
  const looked = useLooked(read.digest);
  const answer = useAnswer(card, looked);
  const mayReview = useMay('reviewer');
  const now = useNow(1_000);
  const changed = read.digest !== card.digest;
  const given = card.answers.findLast(({ setAside }) => setAside === null);
  const aside = card.answers.findLast(({ setAside }) => setAside !== null);
  const reviewId = given?.reviewId ?? (card.state === 'open' && aside ? undefined : answer.data?.reviewId);
  const ending = card.subject === 'checkpoint' ? card.ending : null;
  const over = useOver(card);
  const listed = session !== undefined && card.reviewers.includes(session.person);
  const open = card.state === 'open' && !over && reviewId === undefined;
  const may = open && !changed && mayReview && listed;
  const second = given !== undefined && answer.error instanceof ApiProblem && answer.error.status === 409;
  const again = reviewId === undefined && isUnknown(answer.error) && answer.variables ? answer.variables : undefined;
  const { live, asking, again: askAgain } = useLiveVerdict(card, may);
  const known = useQueryClient();
  const lossNow = ({ decision, payload }: Answer): string | undefined => {
    const queryKey = dryRunKey(card, payload);
    // What the rules said a minute ago of a changed version may not hold any more.
    const old = known.getQueryCache().find({ queryKey })?.isStaleByTime(60_000) ?? true;
    const changed = () => liveVerdict(null, old ? undefined : known.getQueryData(queryKey));
    const verdict = decision === 'edit' ? changed() : live;
    return lossOf(card, verdict.state === 'known' ? verdict.judged : undefined);
  };
  // An approval that would be lost at this moment needs a second step. If the loss is over meanwhile, so is the question.
  const [doubtful, setDoubtful] = useState<Answer>();
  const loss = doubtful && may ? lossNow(doubtful) : undefined;
  if (doubtful && loss === undefined) setDoubtful(undefined);
  const approve = (given: Answer) => (lossNow(given) === undefined ? answer.mutate(given) : setDoubtful(given));
  // Whoever answered here looks at the place of the buttons. The result comes there, wherever the page is scrolled to.
  const here = !answer.isIdle;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (here && reviewId !== undefined) place.current?.focus({ preventScroll: true });
  }, [here, reviewId]);
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
  const outcome = (
    <>
      {second && (
        <Alert color="orange" role="alert" title="Your answer came second" icon={<IconAlertTriangle aria-hidden />}>
          {given.by === session?.person ? 'You' : given.by} {acts[given.decision]} before your answer arrived. Nothing
          was done with your answer.
        </Alert>
      )}
      {ending && card.subject === 'checkpoint' && <Ended card={card} ending={ending} me={session?.person} />}
      {reviewId !== undefined && reviewId !== ending?.reviewId && (
        <ResultView
          reviewId={reviewId}
          play={card.play}
          me={session?.person}
          subjects={{ people: [], ...card.facts, play: card.play }}
        />
      )}
      {reviewId === undefined && aside && (
        <Alert
          color="orange"
          title={`The answer of ${aside.by} had no effect`}
          icon={<IconAlertTriangle aria-hidden />}
        >
          {capital(plainText(aside.setAside?.detail ?? ''))}.{card.state === 'open' && ' It waits for an answer again.'}
        </Alert>
      )}
    </>
  );
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
      {open && <Stopped card={card} />}
      {card.subject === 'proposal' && card.underStop === null && (
        <RulesNow card={card} live={live} onAskAgain={may ? askAgain : undefined} asking={asking} />
      )}
      {open && card.subject === 'checkpoint' && <PlayChanged card={card} />}
      {changed && <Changed before={read} now={card} onRead={() => setRead(card)} />}
      {!here && outcome}
      {given?.note && (
        <Text>
          {given.by} noted: “<span className="written">{given.note}</span>”
        </Text>
      )}
      {given?.category && <Text>Reason: {categoryWords(card.subject, given.category)}</Text>}
      <Part title={card.state === 'open' ? 'Why you are asked' : 'Why a person was asked'}>
        <Why card={card} />
      </Part>
      {edits ? (
        <EditForm
          card={card}
          draft={draft.find('edit')}
          onDraft={draft.save}
          sending={answer.isPending}
          error={answer.error}
          onSend={approve}
          onCancel={() => giveUp('edit')}
        />
      ) : (
        <Part title={card.subject === 'proposal' ? 'What it does' : 'The tasks that go out'}>
          {card.subject === 'proposal' ? (
            <ActionView
              kind={card.action.kind}
              payload={card.action.payload}
              facts={card.facts}
              askedAt={card.escalatedAt}
            />
          ) : (
            <Tasks card={card} />
          )}
        </Part>
      )}
      <Part title={card.subject === 'proposal' ? 'What it touches' : 'What it is about'}>
        {card.subject === 'proposal' ? (
          <Touches facts={card.facts} regions={card.regions} countedAt={card.escalatedAt} live={live} />
        ) : (
          <Concerned card={card} />
        )}
      </Part>
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
      <div className="answer-bar" ref={place} tabIndex={-1}>
        {here && outcome}
        {again && (
          <Alert
            color="orange"
            role="alert"
            title="We do not know whether your answer arrived"
            icon={<IconAlertTriangle aria-hidden />}
          >
            <Text size="sm" mb="xs">
              The connection broke while it was on its way. Send the same answer again: if it has arrived, nothing
              happens twice.
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
            held={heldText(card)}
            lost={lossNow({ decision: 'approve' }) !== undefined}
            onApprove={() => approve({ decision: 'approve' })}
            onEdit={card.subject === 'proposal' ? () => setMode('edit') : undefined}
            onReject={() => setMode('reject')}
          />
        )}
      </div>
      {open && !(mayReview && listed) && (
        <Text c="dimmed">
          {listed ? 'To answer, you need the role reviewer.' : `${card.reviewers.join(' or ')} can answer this.`}
        </Text>
      )}
      {loss !== undefined && doubtful && (
        <AllTheSame
          loss={loss}
          onClose={() => setDoubtful(undefined)}
          onApprove={() => {
            setDoubtful(undefined);
            answer.mutate(doubtful);
          }}
        />
      )}
      {mode === 'reject' && may && (
        <RejectDialog
          subject={card.subject}
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

/** Whether the deadline of an open card has passed at the console. Asks the console for the result when it does. */
function useOver({ id, state, deadline }: Review): boolean {
  const over = state === 'open' && time.isPast(deadline);
  useEffect(() => {
    if (over) void fresh.now({ queryKey: reviewQuery(id).queryKey });
  }, [over, id]);
  return over;
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

/** What an approval comes to while something holds it back. */
function heldText(card: Review): string | undefined {
  if (card.underStop !== null) return `Stopped. ${card.underStop.approving}`;
  return card.subject === 'checkpoint' && card.playChanged !== null ? card.approving : undefined;
}

const nobody = {
  proposal: 'Nobody answered, so it is refused.',
  checkpoint: 'No answer came, so no task goes out.',
} as const;

function Deadline({ card, over, now }: { readonly card: Review; readonly over: boolean; readonly now: number }) {
  if (card.subject === 'checkpoint' && card.ending !== null) return null;
  if (card.state === 'expired' || over)
    return (
      <Text fw={600}>
        The deadline has passed ({full(card.deadline)}).{' '}
        {card.state === 'expired' ? nobody[card.subject] : 'Waiting for the result.'}
      </Text>
    );
  if (card.state === 'superseded')
    return <Text fw={600}>A changed version took its place. This one does not run.</Text>;
  if (card.state !== 'open') return null;
  return (
    <Text className="due" title={full(card.deadline)}>
      <IconClock size={16} aria-hidden /> Answer by {clock(card.deadline, now)} (<When at={card.deadline} />
      ). {card.unanswered}
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
