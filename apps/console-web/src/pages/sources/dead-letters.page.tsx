import { Button, Card, Group, Modal, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconRotateClockwise } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useMay } from '../../app/session.js';
import { Empty } from '../../parts/empty.js';
import { Id } from '../../parts/id.js';
import { LongList } from '../../parts/long-list.js';
import { NoteField, useNote } from '../../parts/note-field.js';
import { Problem } from '../../parts/problem.js';
import { plainText } from '../../parts/reason.js';
import { Standing } from '../../parts/standing.js';
import { useSeen } from '../../parts/use-seen.js';
import { When } from '../../parts/when.js';
import { Section } from './sections.js';
import { type DeadLetter, deadLettersQuery, useReplay } from './sources.queries.js';

/** What services could not handle, and the button that orders them to handle it again. */
export function DeadLettersPage() {
  const letters = useInfiniteQuery(deadLettersQuery);
  const [chosen, setChosen] = useState<DeadLetter>();
  return (
    <Section
      title="Dead letters"
      about="Events and jobs that a service could not handle. Mend the cause first, then let the service handle it again. It is handled once, however often you ask."
    >
      {letters.isError && <Problem error={letters.error} again={() => void letters.refetch()} />}
      {letters.isPending && [1, 2].map((n) => <Skeleton key={n} h={180} />)}
      {letters.data?.length === 0 && (
        <Empty title="No dead letters">
          Every service could handle everything so far. What one cannot handle is set aside here, so that it holds up
          nothing else and nothing of it is lost.
        </Empty>
      )}
      {letters.data && letters.data.length > 0 && (
        <LongList label="Dead letters" rows={letters.data} keyOf={({ deadLetterId }) => deadLetterId} height={210}>
          {(letter) => <Letter letter={letter} onReplay={() => setChosen(letter)} />}
        </LongList>
      )}
      {letters.hasNextPage && (
        <Button variant="default" onClick={() => void letters.fetchNextPage()} loading={letters.isFetchingNextPage}>
          Show older ones
        </Button>
      )}
      {chosen && <ReplayDialog letter={chosen} onClose={() => setChosen(undefined)} />}
    </Section>
  );
}

const what = ({ type, job }: DeadLetter): string =>
  job ? `the job ${job.kind}` : type === null ? 'an event that cannot be read' : `an event ${type}`;

function Letter({ letter, onReplay }: { readonly letter: DeadLetter; readonly onReplay: () => void }) {
  const mayReplay = useMay('operator');
  const { service, topic, partition, offset, job, fault, attempts, at, state, replayedBy, replayNote, replayedAt } =
    letter;
  const waits = state === 'open' || state === 'failed-again';
  return (
    <Card withBorder>
      <Stack gap="xs">
        <Group justify="space-between" align="baseline">
          <Title order={2} size="h5" className="breaks">
            {service} could not handle {what(letter)}
          </Title>
          <Text size="sm" c="dimmed">
            <When at={at} />
          </Text>
        </Group>
        <Outcome letter={letter} />
        <Text size="sm" className="breaks">
          <b>Why: </b>
          {plainText(fault.detail)}
        </Text>
        {letter.failedAgain && (
          <Text size="sm" className="breaks">
            <b>Why again: </b>
            {plainText(letter.failedAgain.detail)}
          </Text>
        )}
        {replayedBy !== null && replayedAt !== null && (
          <Text size="sm" className="breaks">
            {replayedBy} ordered it <When at={replayedAt} />
            {replayNote !== null && <> and noted: “{replayNote}”</>}
          </Text>
        )}
        <Group justify="space-between">
          <Text size="xs" c="dimmed" className="breaks" component="div">
            Tried {attempts} {attempts === 1 ? 'time' : 'times'} ·{' '}
            {job ? job.id : `${topic}, partition ${partition}, offset ${offset}`}{' '}
            <Id id={letter.deadLetterId} label="id of the dead letter" />
          </Text>
          {waits && mayReplay && (
            <Button
              size="sm"
              variant="default"
              leftSection={<IconRotateClockwise size={16} aria-hidden />}
              onClick={onReplay}
            >
              Handle again
            </Button>
          )}
          {waits && !mayReplay && (
            <Text size="sm" c="dimmed">
              An operator can have it handled again.
            </Text>
          )}
        </Group>
      </Stack>
    </Card>
  );
}

function Outcome({ letter: { state, endedAt, service } }: { readonly letter: DeadLetter }) {
  const ended = endedAt === null ? '' : <When at={endedAt} />;
  switch (state) {
    case 'open':
      return <Standing tone="waiting">Waits for somebody</Standing>;
    case 'ordered':
      return <Standing tone="waiting">Ordered. Waiting for {service} to say what came of it.</Standing>;
    case 'handled':
      return <Standing tone="good">Handled {ended}</Standing>;
    case 'scheduled':
      return <Standing tone="good">The job runs again since {ended}. If it fails, it is a new dead letter.</Standing>;
    case 'failed-again':
      return <Standing tone="bad">Failed again {ended}</Standing>;
  }
}

/** Asks what has changed. Without a change, it fails again. */
function ReplayDialog({ letter, onClose }: { readonly letter: DeadLetter; readonly onClose: () => void }) {
  const note = useNote();
  const [key] = useState(() => crypto.randomUUID());
  const replay = useReplay();
  const seen = useSeen(letter);
  const { deadLetterId, service } = letter;
  const order = (event: FormEvent) => {
    event.preventDefault();
    if (note.text !== '') replay.mutate({ deadLetterId, note: note.text, key, seen }, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title="Handle again" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={order}>
        <Stack>
          <Text size="sm" className="breaks">
            {service} will handle {what(letter)} again, with today's configuration.
          </Text>
          <NoteField
            note={note}
            label="What has changed?"
            description="So that it can be handled now. Everybody who reads the record sees this."
            first
          />
          {replay.isError && <Problem error={replay.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={note.text === ''} loading={replay.isPending}>
              Let {service} handle it again
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
