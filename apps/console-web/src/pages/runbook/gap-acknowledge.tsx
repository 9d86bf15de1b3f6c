import { Alert, Button, Checkbox, Group, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, api } from '../../app/api.js';
import { fresh } from '../../app/queries.js';
import { NoteField, useNote } from '../../parts/note-field.js';
import { Problem } from '../../parts/problem.js';
import { useSeen } from '../../parts/use-seen.js';
import { type GapsOfTopic, isOne, lackingState, placeText, servicesOf } from './gap-words.js';
import type { OpenGap } from './runbook.queries.js';

/** A person's note about the gaps of a topic. The values of the gaps come from the reports of their services. */
export function Acknowledge({ chosen: { gaps } }: { readonly chosen: GapsOfTopic }) {
  const [left, setLeft] = useState<readonly string[]>([]);
  const note = useNote();
  const wanted = gaps.filter(({ gapId }) => !left.includes(gapId));
  const lacking = lackingState(wanted);
  const seen = useSeen(gaps);
  const acknowledge = useMutation({
    mutationFn: async (body: { readonly gaps: readonly OpenGap[]; readonly note: string }) => {
      // One after the other: what was accepted before a refusal stays accepted, and is not sent again.
      for (const gap of body.gaps)
        await answerOf(
          api.POST('/v1/gaps/acknowledged', { body: { ...wordOf(gap, body.note), ...(await seen(gap)) } }),
        );
    },
    // What is left of the topic is chosen next.
    onSuccess: () => setLeft([]),
    onSettled: () => void fresh.now({ queryKey: ['services'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wanted.length > 0 && note.text !== '') acknowledge.mutate({ gaps: wanted, note: note.text });
  };
  return (
    <form onSubmit={submit}>
      <Stack maw={560}>
        {gaps.length > 1 && (
          <Checkbox.Group
            label="Which gaps your note is about"
            value={wanted.map(({ gapId }) => gapId)}
            onChange={(ids) => setLeft(gaps.flatMap(({ gapId }) => (ids.includes(gapId) ? [] : [gapId])))}
          >
            <Stack mt="xs" gap="xs">
              {gaps.map((gap) => (
                <Checkbox key={gap.gapId} value={gap.gapId} label={`${gap.service}: ${placeText(gap)}`} />
              ))}
            </Stack>
          </Checkbox.Group>
        )}
        <NoteField note={note} label="What was lost, and what you did about it" description="It stays on the record." />
        {lacking?.publishedAgainAt === null && (
          <Alert color="orange" title={`${lacking.writer} has not published its table again`}>
            If you acknowledge the gap now, {servicesOf(lacking.gaps)} {isOne(lacking.gaps) ? 'decides' : 'decide'}{' '}
            again without the deleted records. A stop may be among them. Do step 2 first.
          </Alert>
        )}
        {acknowledge.isError && <Problem error={acknowledge.error} />}
        <Group>
          <Button type="submit" disabled={wanted.length === 0 || note.text === ''} loading={acknowledge.isPending}>
            {wanted.length === 1 ? 'Acknowledge 1 gap' : `Acknowledge ${wanted.length} gaps`}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

const wordOf = (
  { service, topic, topicId, partition, from, to, reason }: OpenGap,
  note: string,
): Pick<OpenGap, 'service' | 'topic' | 'topicId' | 'partition' | 'from' | 'to' | 'reason'> & { note: string } => ({
  service,
  topic,
  topicId,
  partition,
  from,
  to,
  reason,
  note,
});
