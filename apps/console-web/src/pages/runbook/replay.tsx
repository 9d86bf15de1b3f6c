import { Badge, Button, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, api } from '../../app/api.js';
import { fresh } from '../../app/queries.js';
import { useMay } from '../../app/session.js';
import { Empty } from '../../parts/empty.js';
import { Id } from '../../parts/id.js';
import { LongList } from '../../parts/long-list.js';
import { NoteField, useNote } from '../../parts/note-field.js';
import { Problem } from '../../parts/problem.js';
import { plainText } from '../../parts/reason.js';
import { useSeen } from '../../parts/use-seen.js';
import { When } from '../../parts/when.js';
import { type DeadLetter, deadLettersQuery } from '../sources/sources.queries.js';
import { deadLetterQuery } from './runbook.queries.js';
import { Command, NeedsRole, Step } from './step.js';

const states: Readonly<Record<DeadLetter['state'], string>> = {
  open: 'Open',
  ordered: 'Ordered, not answered yet',
  handled: 'Handled',
  scheduled: 'Scheduled again',
  'failed-again': 'Failed again',
};

export function ReplayGuide() {
  const letters = useInfiniteQuery(deadLettersQuery);
  const [chosen, setChosen] = useState<string>();
  const inList = letters.data?.find(({ deadLetterId }) => deadLetterId === chosen);
  // A letter that was handled moves to the end of the list, which may not be loaded.
  const alone = useQuery({ ...deadLetterQuery(chosen ?? ''), enabled: chosen !== undefined && !inList });
  const letter = inList ?? alone.data;
  if (letters.isError && !letters.data) return <Problem error={letters.error} again={() => void letters.refetch()} />;
  if (!letters.data) return <Skeleton h={200} />;
  if (letters.data.length === 0)
    return (
      <Empty title="There are no dead letters">
        An event appears here when a service has tried several times and could not handle it.
      </Empty>
    );
  return (
    <>
      <Step n={1} title="Choose a dead letter and read why">
        <LongList label="Dead letters" rows={letters.data} keyOf={({ deadLetterId }) => deadLetterId} height={150}>
          {(listed) => (
            <Card withBorder padding="sm" component="article" aria-label={`Of ${listed.service}`}>
              <Group justify="space-between">
                <Title order={3} size="h5" className="breaks">
                  {listed.service}: {listed.job ? `job ${listed.job.kind}` : (listed.type ?? 'an unreadable event')}
                </Title>
                <Badge
                  variant="light"
                  color={listed.state === 'handled' || listed.state === 'scheduled' ? 'green' : 'orange'}
                >
                  {states[listed.state]}
                </Badge>
              </Group>
              <Text size="sm" className="breaks">
                {plainText((listed.failedAgain ?? listed.fault).detail)}
              </Text>
              <Text size="sm" c="dimmed">
                Tried {listed.attempts} times, <When at={listed.at} />
                {listed.replayedBy !== null && `; ordered by ${listed.replayedBy}: ${listed.replayNote ?? 'no note'}`}
              </Text>
              <Group mt="xs">
                <Button
                  size="xs"
                  variant={chosen === listed.deadLetterId ? 'filled' : 'default'}
                  aria-pressed={chosen === listed.deadLetterId}
                  onClick={() => setChosen(listed.deadLetterId)}
                >
                  Choose this one
                </Button>
                <Id id={listed.deadLetterId} label="id of the dead letter" />
              </Group>
            </Card>
          )}
        </LongList>
        {letters.isError && <Problem error={letters.error} again={() => void letters.refetch()} />}
        {letters.hasNextPage && (
          <Group>
            <Button variant="default" onClick={() => void letters.fetchNextPage()} loading={letters.isFetchingNextPage}>
              Show older ones
            </Button>
          </Group>
        )}
        <Command text="npx countersign dead-letters list" />
      </Step>
      {!letter && alone.isError && <Problem error={alone.error} again={() => void alone.refetch()} />}
      {letter && (
        <>
          <Step n={2} title="Remove the cause">
            <Text size="sm">
              Without a change it fails again in the same way. Usually this is a corrected configuration, a release that
              handles the event, or a connected system that is back.
            </Text>
          </Step>
          <Step n={3} title="Have it handled again">
            <Order key={letter.deadLetterId} letter={letter} />
          </Step>
          <Step n={4} title="See what came of it">
            <Text role="status" fw={600}>
              {outcome(letter)}
            </Text>
            <Command text={`npx countersign dead-letters show ${letter.deadLetterId}`} />
          </Step>
        </>
      )}
    </>
  );
}

function outcome(letter: DeadLetter): string {
  switch (letter.state) {
    case 'open':
      return 'Nothing was ordered yet.';
    case 'ordered':
      return `${letter.service} has the order, or gets it when it runs. It has not said what came of it.`;
    case 'handled':
      return `${letter.service} has handled it.`;
    case 'scheduled':
      return `${letter.service} has scheduled the job again.`;
    case 'failed-again':
      return `It failed again: ${plainText(letter.failedAgain?.detail ?? letter.fault.detail)}`;
  }
}

function Order({ letter }: { readonly letter: DeadLetter }) {
  const mayOrder = useMay('operator');
  const note = useNote();
  const [key, setKey] = useState(() => crypto.randomUUID());
  const seen = useSeen(letter);
  const order = useMutation({
    mutationFn: async () =>
      answerOf(
        api.POST('/v1/dead-letters/{deadLetterId}/replays', {
          params: { path: { deadLetterId: letter.deadLetterId }, header: { 'idempotency-key': key } },
          body: { note: note.text, ...(await seen()) },
        }),
      ),
    // The next order gets another id.
    onSuccess: () => setKey(crypto.randomUUID()),
    onSettled: () => void fresh.now({ queryKey: ['dead-letters'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (note.text !== '') order.mutate();
  };
  const command = (
    <Command text={`npx countersign dead-letters replay ${letter.deadLetterId} --note "what has changed"`} />
  );
  if (!mayOrder)
    return (
      <>
        <NeedsRole holder="an operator" act="order it" />
        {command}
      </>
    );
  return (
    <form onSubmit={submit}>
      <Stack>
        <NoteField
          note={note}
          label="What has changed"
          description="It stays on the record. What was handled before is not handled twice."
        />
        {order.isError && <Problem error={order.error} />}
        <Group>
          <Button type="submit" disabled={note.text === ''} loading={order.isPending}>
            Handle it again
          </Button>
        </Group>
        {command}
      </Stack>
    </form>
  );
}
