import { Button, Divider, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconHandStop } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, api } from '../app/api.js';
import { capital } from './capital.js';
import { Confirmations } from './confirmations.js';
import { type Control, controlQuery, controlsQuery, type Family, families, useControl } from './controls.js';
import { elsewhereWords } from './elsewhere.js';
import { NoteField, useNote } from './note-field.js';
import { Problem } from './problem.js';
import { Reach, ReachComing, StartsAgain, StillOpen, useReach } from './reach.js';
import { scopeWords } from './scope.js';
import { ScopeName } from './scope-name.js';
import { useSeen } from './use-seen.js';
import { When } from './when.js';

const familyWords: Readonly<Record<Family, string>> = {
  all: 'Everything',
  agent: 'One agent',
  play: 'One play',
  channel: 'One channel',
  account: 'One account',
};

/** Where somebody finds the name that they have to write. */
const writtenWords: Readonly<Record<Exclude<Family, 'all'>, string>> = {
  agent: 'Its name, as it stands on its reviews',
  play: 'Its id, as it stands in the address of its page',
  channel: 'Its name',
  account: 'Its id in the CRM, as it stands on a review',
};

interface Choice {
  readonly value: string;
  readonly label: string;
}
/** What has no other name than its id. */
const called = (id: string): Choice => ({ value: id, label: id });

const policyQuery = {
  queryKey: ['policy'],
  staleTime: 60_000,
  queryFn: () => answerOf(api.GET('/v1/policies')),
};

interface Props {
  readonly onClose: () => void;
  /** The scope that is already chosen, such as `agent:paid-media-agent`. */
  readonly scope?: string;
}

/** The red control of every page: what to stop, why, what stops with it, and then which services have confirmed it. */
export function StopDialog({ onClose, scope: given = 'all' }: Props) {
  const colon = given.indexOf(':');
  const [family, setFamily] = useState<Family>(colon < 0 ? 'all' : (given.slice(0, colon) as Family));
  const [name, setName] = useState(colon < 0 ? '' : given.slice(colon + 1));
  const reason = useNote();
  const [key] = useState(() => crypto.randomUUID());
  const [resuming, setResuming] = useState<Control>();
  const controls = useQuery(controlsQuery);
  const policy = useQuery(policyQuery);
  const change = useControl();
  const scope = family === 'all' ? 'all' : `${family}:${name.trim()}`;
  const named = family === 'all' || name.trim() !== '';
  const ready = reason.text !== '' && named;
  const choices: Readonly<Record<Family, readonly Choice[] | undefined>> = {
    all: undefined,
    account: undefined,
    channel: ['email', 'advertising', 'crm'].map(called),
    agent: policy.data?.content.charters.map(({ agent }) => called(agent)),
    play: policy.data?.content.plays.map(({ id, title }) => ({ value: id, label: title })),
  };
  const choice = choices[family];
  // Without the names the person writes one. If there is no such agent or play, the console says which there are.
  const written = choice
    ? name !== '' && !choice.some(({ value }) => value === name)
    : family === 'account' || policy.isError || policy.failureCount > 0;
  // A written name is not known to be whole before the person has paused.
  const [paused] = useDebouncedValue(scope, 400);
  const reached = named ? (written && paused !== scope ? undefined : scope) : undefined;
  const reach = useReach(reached);
  const seen = useSeen(reach, reached ?? '');
  const words = scopeWords({ scope, name: reach?.name ?? null });
  const stop = (event: FormEvent) => {
    event.preventDefault();
    if (ready) change.mutate({ scope, state: 'stopped', reason: reason.text, key: `${key}:${scope}`, seen });
  };
  const stopped = controls.data?.filter(({ state }) => state === 'stopped') ?? [];
  return (
    <Modal
      opened
      onClose={onClose}
      title={resuming ? 'Resume' : 'Stop'}
      size="lg"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {resuming ? (
        <Resume control={resuming} onLeave={() => setResuming(undefined)} onClose={onClose} />
      ) : change.data ? (
        <Done change={change.data} scope={scope} state="stopped" onClose={onClose} />
      ) : (
        <form onSubmit={stop}>
          <Stack>
            <Select
              label="What to stop"
              data={families.map((value) => ({ value, label: familyWords[value] }))}
              value={family}
              allowDeselect={false}
              onChange={(value) => {
                setFamily((value ?? 'all') as Family);
                setName('');
              }}
            />
            {family !== 'all' &&
              (written ? (
                <TextInput
                  label={`Which ${family}`}
                  description={writtenWords[family]}
                  value={name}
                  onChange={(event) => setName(event.currentTarget.value)}
                  required
                />
              ) : (
                <Select
                  label={`Which ${family}`}
                  data={[...(choice ?? [name].filter((known) => known !== '').map(called))]}
                  disabled={choice === undefined}
                  value={name || null}
                  onChange={(value) => setName(value ?? '')}
                  searchable={(choice?.length ?? 0) > 8}
                  required
                />
              ))}
            {policy.isError && (family === 'agent' || family === 'play') && (
              <Problem error={policy.error} again={() => void policy.refetch()} />
            )}
            <NoteField
              note={reason}
              label="Why"
              description="Everybody who reads the record sees this."
              most={500}
              first
            />
            {reached === undefined ? <ReachComing family={family} /> : <Reach scope={reached} />}
            {change.isError && <Problem error={change.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button
                type="submit"
                color="red"
                disabled={!ready}
                loading={change.isPending}
                leftSection={<IconHandStop size={18} aria-hidden />}
              >
                Stop {named ? words : `the ${family}`}
              </Button>
            </Group>
            {change.isPending && (
              <Text size="sm" role="status">
                The stop is sent. Waiting for the services to confirm it.
              </Text>
            )}
          </Stack>
        </form>
      )}
      {!resuming && controls.isError && (
        <Stack gap="xs" mt="md">
          <Problem error={controls.error} again={() => void controls.refetch()} />
          <Text size="sm">What is stopped now is not known. You can stop all the same.</Text>
        </Stack>
      )}
      {!resuming && stopped.length > 0 && (
        <>
          <Divider my="md" label="Stopped now" />
          <Stack gap="xs">
            {stopped.map((control) => (
              <Group key={control.scope} justify="space-between" wrap="nowrap" align="flex-start">
                <div>
                  <Text size="sm" fw={600}>
                    <ScopeName named={control} first />
                  </Text>
                  <Text size="sm" c="dimmed">
                    {control.reason} ({control.by}, <When at={control.changedAt} />)
                  </Text>
                </div>
                <Button variant="default" size="xs" flex="none" onClick={() => setResuming(control)}>
                  Resume
                </Button>
              </Group>
            ))}
          </Stack>
        </>
      )}
    </Modal>
  );
}

interface ResumeProps {
  readonly control: Control;
  readonly onClose: () => void;
  /** Goes back without a resume. */
  readonly onLeave?: () => void;
}

/** Lifts a stop. It is less prominent than the stop button, and asks for a reason. */
function Resume({ control, onClose, onLeave = onClose }: ResumeProps) {
  const reason = useNote();
  const [key] = useState(() => crypto.randomUUID());
  const change = useControl();
  const { scope, state, by, reason: why, version, changedAt } = control;
  const seen = useSeen({ scope, state, by, reason: why, version, changedAt });
  if (change.data) return <Done change={change.data} scope={scope} state="running" onClose={onClose} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.text !== '') change.mutate({ scope, state: 'running', reason: reason.text, key, seen });
      }}
    >
      <Stack>
        <Text>
          <ScopeName named={control} first /> was stopped by {control.by} <When at={control.changedAt} />:{' '}
          {control.reason}
        </Text>
        <StartsAgain scope={scope} />
        <NoteField note={reason} label="Why it may go on" most={500} first />
        {change.isError && <Problem error={change.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onLeave}>
            Leave it stopped
          </Button>
          <Button type="submit" variant="light" loading={change.isPending} disabled={reason.text === ''}>
            Resume {scopeWords(control)}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Lifts a stop in a dialog of its own. `control` is the state when its button was pressed, so that the result stays in sight. */
export const ResumeDialog = ({ control, onClose }: Omit<ResumeProps, 'onLeave'>) => (
  <Modal opened onClose={onClose} title="Resume" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
    <Resume control={control} onClose={onClose} />
  </Modal>
);

interface Changed {
  readonly control?: { readonly version: number; readonly name: string | null } | null;
  readonly changed: boolean;
  readonly confirmed: boolean;
  readonly confirmedBy: readonly string[];
  readonly notConfirmedBy: readonly string[];
  readonly unknown: readonly string[];
}

/** The result: which services apply it, and which have not confirmed it yet. The list is read again while some are missing. */
function Done({ change, scope, state, onClose }: DoneProps) {
  const read = useQuery({
    ...controlQuery(scope),
    refetchInterval: ({ state: { data } }) => ((data?.confirmed ?? change.confirmed) ? false : 1_000),
  });
  const control = read.data ?? undefined;
  const now: Changed | Control = control?.state === state ? control : change;
  const words = capital(scopeWords({ scope, name: control?.name ?? change.control?.name ?? null }));
  const verb = state === 'stopped' ? 'stopped' : 'running again';
  // The cached data may be older than the answer. A later version with the other state is another person's act.
  const overtaken = control && control.state !== state && control.version > (change.control?.version ?? 0);
  if (overtaken)
    return (
      <Stack role="status">
        <Text fw={600}>
          {words} was {verb}, but {control.by} has {control.state === 'stopped' ? 'stopped' : 'resumed'} it since:{' '}
          {control.reason}
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Close
          </Button>
        </Group>
      </Stack>
    );
  return (
    <Stack role="status">
      <Text fw={600}>
        {words} is {verb}. {!change.changed && `Somebody had done this before${control ? `: ${control.by}` : ''}.`}
      </Text>
      <Confirmations {...now} />
      {now.confirmed ? (
        <Text size="sm">Every service of this installation applies it.</Text>
      ) : (
        <Text size="sm">
          The order is published. A service that has not confirmed may still act as before. This list is read again
          every second.
        </Text>
      )}
      {read.isError && <Problem error={read.error} again={() => void read.refetch()} />}
      {now.unknown.length > 0 && <Text size="sm">{elsewhereWords(now.unknown, state)}</Text>}
      {state === 'stopped' && <StillOpen scope={scope} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          Close
        </Button>
      </Group>
    </Stack>
  );
}

interface DoneProps {
  readonly change: Changed;
  readonly scope: string;
  readonly state: 'stopped' | 'running';
  readonly onClose: () => void;
}
