import { Button, Card, Group, NumberInput, Select, SimpleGrid, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, api } from '../../app/api.js';
import { fresh } from '../../app/queries.js';
import { useMay } from '../../app/session.js';
import { NoteField, useNote } from '../../parts/note-field.js';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { nowQuery } from '../now/now.queries.js';
import { type Gap, gapsQuery } from './runbook.queries.js';
import { Command, NeedsRole, Step } from './step.js';

export function GapGuide() {
  const gaps = useQuery(gapsQuery);
  const mayAcknowledge = useMay('operator');
  return (
    <>
      <Step n={1} title="Ask the services which gaps are open">
        <Text size="sm">
          The console hears of a gap only when somebody acknowledges it. Each service reports its own open gaps on its
          health page. Ask all of them with this command.
        </Text>
        <Command text="npx countersign gaps" about="From the command line:" />
      </Step>
      <Step n={2} title="Find out what was lost">
        <Text size="sm">
          Nothing comes back by an acknowledgement. Look at the topic: lost answers of people are given again, lost
          signals are sent again by their source.
        </Text>
      </Step>
      <Step n={3} title="Acknowledge it">
        {mayAcknowledge ? <Acknowledge /> : <NeedsRole holder="an operator" act="acknowledge it" />}
        <Command text={'npx countersign gaps acknowledge <topic> --note "what was lost and what you did"'} />
      </Step>
      <Step n={4} title="See that it is known">
        {gaps.isError && <Problem error={gaps.error} again={() => void gaps.refetch()} />}
        {gaps.isPending && <Skeleton h={60} />}
        {gaps.data?.length === 0 && <Text>No gap was acknowledged yet.</Text>}
        {gaps.data?.map((gap) => (
          <Card
            key={[gap.service, gap.topic, gap.topicId, gap.partition, gap.from].join(' ')}
            withBorder
            padding="sm"
            component="article"
            aria-label={`Gap of ${gap.service}`}
          >
            <Text fw={600} className="breaks">
              {gap.service} lacks {gap.topic}, partition {gap.partition}, from {gap.from}{' '}
              {gap.to === null ? 'to its end' : `to ${gap.to - 1}`}
            </Text>
            <Text size="sm">{gap.note}</Text>
            <Text size="sm" c="dimmed">
              {gap.by}, <When at={gap.at} />
            </Text>
          </Card>
        ))}
      </Step>
    </>
  );
}

const reasons = [
  { value: 'records-deleted', label: 'Records were deleted unread' },
  { value: 'topic-made-again', label: 'The topic was deleted and made again' },
];

function Acknowledge() {
  const now = useQuery(nowQuery);
  const [service, setService] = useState<string | null>(null);
  const [reason, setReason] = useState<Gap['reason']>('records-deleted');
  const [text, setText] = useState({ topic: '', topicId: '' });
  const note = useNote();
  const [numbers, setNumbers] = useState<{ partition?: number; from?: number; to?: number }>({});
  const acknowledge = useMutation({
    mutationFn: (body: Omit<Gap, 'by' | 'at'>) => answerOf(api.POST('/v1/gaps/acknowledged', { body })),
    onSettled: () => void fresh.now({ queryKey: ['services'] }),
  });
  const { partition, from, to } = numbers;
  const words = { topic: text.topic.trim(), topicId: text.topicId.trim(), note: note.text };
  const gap =
    service !== null &&
    partition !== undefined &&
    from !== undefined &&
    Object.values(words).every((word) => word !== '')
      ? { service, reason, partition, from, to: to ?? null, ...words }
      : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (gap) acknowledge.mutate(gap);
  };
  const write = (member: keyof typeof text) => (event: { currentTarget: { value: string } }) => {
    const { value } = event.currentTarget;
    setText((known) => ({ ...known, [member]: value }));
  };
  const count = (member: keyof typeof numbers) => (value: number | string) =>
    setNumbers(({ [member]: _, ...known }) => (typeof value === 'number' ? { ...known, [member]: value } : known));
  return (
    <form onSubmit={submit}>
      <Stack maw={560}>
        <Text size="sm">Copy the values of the gap from the answer to the command of step 1.</Text>
        <Select
          label="Service"
          data={now.data?.services.filter(({ elsewhere }) => !elsewhere).map((known) => known.service) ?? []}
          value={service}
          onChange={setService}
          required
        />
        <TextInput label="Topic" value={text.topic} onChange={write('topic')} required />
        <TextInput
          label="Topic id"
          description="The broker's id of the topic that the records were on"
          value={text.topicId}
          onChange={write('topicId')}
          required
        />
        <SimpleGrid cols={{ base: 1, xs: 3 }} className="ends-aligned">
          <NumberInput label="Partition" min={0} allowDecimal={false} onChange={count('partition')} required />
          <NumberInput label="From" min={0} allowDecimal={false} onChange={count('from')} required />
          <NumberInput label="To" description="Empty: all of it" min={0} allowDecimal={false} onChange={count('to')} />
        </SimpleGrid>
        <Select
          label="What happened"
          data={reasons}
          value={reason}
          allowDeselect={false}
          onChange={(value) => setReason(value === 'topic-made-again' ? value : 'records-deleted')}
        />
        <NoteField note={note} label="What was lost, and what you did about it" description="It stays on the record." />
        {acknowledge.isError && <Problem error={acknowledge.error} />}
        {acknowledge.data && (
          <Text role="status" fw={600}>
            Acknowledged by {acknowledge.data.by}. The service stops reporting the gap when it has read this.
          </Text>
        )}
        <Group>
          <Button type="submit" disabled={!gap} loading={acknowledge.isPending}>
            Acknowledge this gap
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
