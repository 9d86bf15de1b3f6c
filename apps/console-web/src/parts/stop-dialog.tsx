import { Badge, Button, Divider, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconCheck, IconClock, IconHandStop } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, api } from '../app/api.js';
import { capital } from './capital.js';
import { type Control, controlsQuery, type Family, families, useControl } from './controls.js';
import { NoteField, useNote } from './note-field.js';
import { Problem } from './problem.js';
import { Reach, StartsAgain, StillOpen } from './reach.js';
import { scopeWords } from './scope.js';
import { When } from './when.js';

const familyWords: Readonly<Record<Family, string>> = {
  all: 'Everything',
  agent: 'One agent',
  play: 'One play',
  channel: 'One channel',
  account: 'One account',
};

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
  const ready = reason.text !== '' && (family === 'all' || name.trim() !== '');
  const stop = (event: FormEvent) => {
    event.preventDefault();
    if (ready) change.mutate({ scope, state: 'stopped', reason: reason.text, key: `${key}:${scope}` });
  };
  const names: Readonly<Record<Family, readonly string[] | undefined>> = {
    all: undefined,
    account: undefined,
    channel: ['email', 'advertising', 'crm'],
    agent: policy.data?.content.charters.map(({ agent }) => agent),
    play: policy.data?.content.plays.map(({ id }) => id),
  };
  const choice = names[family];
  const stopped = controls.data?.filter(({ state }) => state === 'stopped') ?? [];
  return (
    <Modal opened onClose={onClose} title="Stop" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
      {resuming ? (
        <Resume control={resuming} onClose={() => setResuming(undefined)} />
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
            {choice && (
              <Select
                label={`Which ${family}`}
                data={[...choice]}
                value={name || null}
                onChange={(value) => setName(value ?? '')}
                searchable={choice.length > 8}
                required
              />
            )}
            {family === 'account' && (
              <TextInput
                label="Which account"
                description="Its id in the CRM, as it stands on a review"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                required
              />
            )}
            <NoteField
              note={reason}
              label="Why"
              description="Everybody who reads the record sees this."
              most={500}
              first
            />
            {ready || family === 'all' ? <Reach scope={scope} /> : null}
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
                Stop {scope === 'all' || name.trim() !== '' ? scopeWords(scope) : `the ${family}`}
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
      {!resuming && stopped.length > 0 && (
        <>
          <Divider my="md" label="Stopped now" />
          <Stack gap="xs">
            {stopped.map((control) => (
              <Group key={control.scope} justify="space-between" wrap="nowrap" align="flex-start">
                <div>
                  <Text size="sm" fw={600}>
                    {capital(scopeWords(control.scope))}
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

/** Lifts a stop. It is less prominent than the stop button, and asks for a reason. */
export function Resume({ control, onClose }: { readonly control: Control; readonly onClose: () => void }) {
  const reason = useNote();
  const [key] = useState(() => crypto.randomUUID());
  const change = useControl();
  const { scope } = control;
  if (change.data) return <Done change={change.data} scope={scope} state="running" onClose={onClose} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.text !== '') change.mutate({ scope, state: 'running', reason: reason.text, key });
      }}
    >
      <Stack>
        <Text>
          {capital(scopeWords(scope))} was stopped by {control.by} <When at={control.changedAt} />: {control.reason}
        </Text>
        <StartsAgain scope={scope} />
        <NoteField note={reason} label="Why it may go on" most={500} first />
        {change.isError && <Problem error={change.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Leave it stopped
          </Button>
          <Button type="submit" variant="light" loading={change.isPending} disabled={reason.text === ''}>
            Resume {scopeWords(scope)}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface Changed {
  readonly control?: { readonly version: number } | null;
  readonly changed: boolean;
  readonly confirmed: boolean;
  readonly confirmedBy: readonly string[];
  readonly notConfirmedBy: readonly string[];
  readonly unknown: readonly string[];
}

/** The result: which services apply it, and which have not confirmed it yet. The list is read again while some are missing. */
function Done({ change, scope, state, onClose }: DoneProps) {
  const controls = useQuery({
    ...controlsQuery,
    refetchInterval: ({ state: { data } }) =>
      (data?.find((known) => known.scope === scope)?.confirmed ?? change.confirmed) ? false : 1_000,
  });
  const control = controls.data?.find((known) => known.scope === scope);
  const now: Changed | Control = control?.state === state ? control : change;
  const verb = state === 'stopped' ? 'stopped' : 'running again';
  // The cached data may be older than the answer. A later version with the other state is another person's act.
  const overtaken = control && control.state !== state && control.version > (change.control?.version ?? 0);
  if (overtaken)
    return (
      <Stack role="status">
        <Text fw={600}>
          {capital(scopeWords(scope))} was {verb}, but {control.by} has{' '}
          {control.state === 'stopped' ? 'stopped' : 'resumed'} it since: {control.reason}
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
        {capital(scopeWords(scope))} is {verb}.{' '}
        {!change.changed && `Somebody had done this before${control ? `: ${control.by}` : ''}.`}
      </Text>
      <Group gap="xs">
        {now.confirmedBy.map((service) => (
          <Badge key={service} color="green" variant="light" leftSection={<IconCheck size={12} aria-hidden />}>
            {service} confirmed
          </Badge>
        ))}
        {now.notConfirmedBy.map((service) => (
          <Badge key={service} color="orange" variant="light" leftSection={<IconClock size={12} aria-hidden />}>
            {service} not confirmed yet
          </Badge>
        ))}
      </Group>
      {now.confirmed ? (
        <Text size="sm">Every service of this installation applies it.</Text>
      ) : (
        <Text size="sm">
          The order is published. A service that has not confirmed may still act as before. This list is read again
          every second.
        </Text>
      )}
      {now.unknown.length > 0 && (
        <Text size="sm">These run elsewhere and never confirm: {now.unknown.join(', ')}.</Text>
      )}
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
