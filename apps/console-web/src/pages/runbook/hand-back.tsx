import { Anchor, Button, Group, List, Radio, Skeleton, Space, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
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
import { asSentence } from '../stories/words.js';
import { settlementQuery, type Unresolved, unresolvedQuery } from './runbook.queries.js';
import { Command, NeedsRole, Step } from './step.js';

export function HandBackGuide() {
  const unresolved = useInfiniteQuery(unresolvedQuery);
  const [chosen, setChosen] = useState<string>();
  const [settling, setSettling] = useState<string>();
  const permit = unresolved.data?.find(({ permitId }) => permitId === chosen);
  if (unresolved.isError && !unresolved.data)
    return <Problem error={unresolved.error} again={() => void unresolved.refetch()} />;
  if (!unresolved.data) return <Skeleton h={200} />;
  return (
    <>
      {unresolved.data.length === 0 ? (
        <Empty title="Nothing is unresolved">
          An action appears here when its executor called the connected system and cannot tell whether it was done.
        </Empty>
      ) : (
        <Step n={1} title="Choose what you look into">
          <Radio.Group value={chosen ?? ''} onChange={setChosen} label="Unresolved actions, the oldest first">
            <Space h="xs" />
            <LongList
              label="Unresolved actions"
              rows={unresolved.data}
              keyOf={({ permitId }) => permitId}
              height={46}
              gap={16}
            >
              {(listed) => (
                <Radio value={listed.permitId} label={labelOf(listed)} description={<About permit={listed} />} />
              )}
            </LongList>
          </Radio.Group>
          {unresolved.isError && <Problem error={unresolved.error} again={() => void unresolved.refetch()} />}
          {unresolved.hasNextPage && (
            <Group>
              <Button
                variant="default"
                onClick={() => void unresolved.fetchNextPage()}
                loading={unresolved.isFetchingNextPage}
              >
                Show more
              </Button>
            </Group>
          )}
          <Command text="npx countersign unresolved" />
        </Step>
      )}
      {permit && (
        <>
          <Step n={2} title="Look into the connected system">
            <List size="sm" spacing="xs">
              <List.Item>
                Read in{' '}
                <Anchor component={Link} to={`/stories/${permit.proposalId}`} inherit underline="always">
                  its story
                </Anchor>{' '}
                what was to be done.
              </List.Item>
              <List.Item>Open the system behind the connector {permit.connector}.</List.Item>
              <List.Item>
                Look for this action under its key <Id id={permit.actionId} label="key of the action" />: each call
                carries it.
              </List.Item>
              <List.Item>Until you say what you found, the money that it reserved stays reserved.</List.Item>
            </List>
          </Step>
          <Step n={3} title="Say what you found">
            <Decide key={permit.permitId} permit={permit} onDecided={() => setSettling(permit.permitId)} />
          </Step>
        </>
      )}
      {settling !== undefined && (
        <Step n={4} title="See it settled">
          <Settled permitId={settling} />
        </Step>
      )}
    </>
  );
}

const ends: Readonly<Record<Unresolved['outcome'], string>> = {
  executed: 'it was done',
  failed: 'it was not done',
  refused: 'it was refused before it ran',
  expired: 'its time passed before it ran',
  unresolved: 'nobody knows yet whether it was done',
  undone: 'it was done and taken back',
};

const labelOf = ({ connector, executor, actionId }: Unresolved): string =>
  `A call of ${connector} by ${executor}, key ${actionId.slice(0, 8)}…`;

const About = ({ permit }: { readonly permit: Unresolved }) => (
  <>
    {permit.detail === null ? 'The executor gave no reason.' : asSentence(plainText(permit.detail))} Since{' '}
    <When at={permit.at} />.
    {permit.decision && ` ${permit.decision.by} has decided that ${ends[permit.decision.outcome]}.`}
  </>
);

function Decide({ permit, onDecided }: { readonly permit: Unresolved; readonly onDecided: () => void }) {
  const mayDecide = useMay('reviewer');
  const [outcome, setOutcome] = useState<'executed' | 'failed'>();
  const note = useNote();
  const seen = useSeen(permit);
  const decide = useMutation({
    mutationFn: async (answer: { outcome: 'executed' | 'failed'; note: string }) => {
      const body = { ...answer, ...(await seen()) };
      return answerOf(
        api.POST('/v1/settlements/{permitId}', { params: { path: { permitId: permit.permitId } }, body }),
      );
    },
    onSuccess: onDecided,
    onSettled: () => void fresh.now({ queryKey: ['funnel'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (outcome !== undefined && note.text !== '') decide.mutate({ outcome, note: note.text });
  };
  const command = (
    <Command text={`npx countersign settle ${permit.permitId} ${outcome ?? 'executed'} --note "what you found"`} />
  );
  if (permit.decision)
    return (
      <Text>
        {permit.decision.by} decided <When at={permit.decision.at} /> that {ends[permit.decision.outcome]}: “
        {permit.decision.note}”. The executor has not settled it yet.
      </Text>
    );
  if (!mayDecide)
    return (
      <>
        <NeedsRole holder="a reviewer" act="settle it" />
        {command}
      </>
    );
  return (
    <form onSubmit={submit}>
      <Stack>
        <Radio.Group
          label="What became of it"
          value={outcome ?? ''}
          onChange={(value) => setOutcome(value === 'executed' ? 'executed' : 'failed')}
        >
          <Stack mt="xs" gap="xs">
            <Radio value="executed" label="It was done" description="Its money counts as spent." />
            <Radio value="failed" label="It was not done" description="Its money is free again." />
          </Stack>
        </Radio.Group>
        <NoteField note={note} label="How you know it" description="It stays on the record." />
        {decide.isError && <Problem error={decide.error} />}
        <Group>
          <Button type="submit" disabled={outcome === undefined || note.text === ''} loading={decide.isPending}>
            {outcome === 'failed' ? 'Say that it was not done' : 'Say that it was done'}
          </Button>
        </Group>
        {command}
      </Stack>
    </form>
  );
}

/** Waits for the executor, because only its settlement ends the permit. */
function Settled({ permitId }: { readonly permitId: string }) {
  const permit = useQuery(settlementQuery(permitId));
  if (permit.isError) return <Problem error={permit.error} />;
  if (!permit.data) return <Skeleton h={48} />;
  const { outcome, executor, decision } = permit.data;
  return (
    <Text role="status" fw={600}>
      {outcome === 'unresolved'
        ? `Your answer is published. Waiting for ${executor} to settle it${decision ? `: ${ends[decision.outcome]}` : ''}.`
        : `${executor} has settled it: ${ends[outcome]}.`}
    </Text>
  );
}
