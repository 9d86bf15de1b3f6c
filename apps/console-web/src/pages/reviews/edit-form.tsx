import { Button, Group, Paper, Select, Skeleton, Stack, Switch, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { ApiProblem } from '../../app/api.js';
import type { Draft } from '../../app/drafts.js';
import { NoteField, useNote } from '../../parts/note-field.js';
import { Problem } from '../../parts/problem.js';
import { problemText } from '../../parts/problem-text.js';
import { actWords } from '../../parts/sentence.js';
import { ActionView } from './action-view.js';
import { DryRun } from './dry-run.js';
import { currencyBeside, edited, type Field, fieldsOf, type Schema, typedOf } from './fields.js';
import { kindsQuery, type Proposal } from './reviews.queries.js';
import type { Answer } from './use-answer.js';

interface Props {
  readonly card: Proposal;
  readonly sending: boolean;
  readonly error: unknown;
  /** What its author typed earlier. */
  readonly draft: Draft | undefined;
  readonly onDraft: (draft: Draft) => void;
  readonly onSend: (answer: Answer) => void;
  readonly onCancel: () => void;
}

/** A form made from the kind's JSON Schema, with a preview of the changed action beside it. */
export function EditForm({ card, sending, error, draft, onDraft, onSend, onCancel }: Props) {
  const kinds = useQuery(kindsQuery);
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>(draft?.typed ?? {});
  const note = useNote(draft?.note);
  // biome-ignore lint/correctness/useExhaustiveDependencies: kept when something is typed, whoever keeps it
  useEffect(() => {
    if (note.typed !== '' || Object.keys(typed).length > 0) onDraft({ mode: 'edit', typed, note: note.typed });
  }, [typed, note.typed]);
  const schema = kinds.data?.find(({ kind }) => kind === card.action.kind)?.payload as Schema | undefined;
  if (kinds.isError) return <Problem error={kinds.error} again={() => void kinds.refetch()} />;
  if (!schema) return <Skeleton h={360} />;
  const fields = fieldsOf(schema);
  const before = card.action.payload;
  const { payload, faults } = edited(before, fields, typed);
  const changed = JSON.stringify(payload) !== JSON.stringify(before);
  const sound = Object.keys(faults).length === 0;
  const fault = error instanceof ApiProblem ? error.field?.replace(/^payload\./, '') : undefined;
  const fieldFault = (key: string): string | undefined =>
    faults[key] ?? (fault === key ? problemText(error) : undefined);
  const input = (field: Field, place: number) => {
    const key = field.path.join('.');
    return (
      <Input
        key={key}
        field={field}
        currency={currencyBeside(field, before)}
        value={Object.hasOwn(typed, key) ? (typed[key] ?? '') : typedOf(field, before)}
        error={fieldFault(key)}
        first={place === 0 && !field.seldom}
        onChange={(value) => setTyped((known) => ({ ...known, [key]: value }))}
      />
    );
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (changed && sound) onSend({ decision: 'edit', payload, ...(note.text !== '' && { note: note.text }) });
  };
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="edit-title">
      <form onSubmit={send}>
        <Stack>
          <Title order={2} size="h4" id="edit-title">
            Change it
          </Title>
          {fields.filter(({ seldom }) => !seldom).map(input)}
          {fields.some(({ seldom }) => seldom) && (
            <details open={fields.some(({ seldom, path }) => seldom && fieldFault(path.join('.')) !== undefined)}>
              <summary>Where it goes, and what it is part of</summary>
              <Stack>{fields.filter(({ seldom }) => seldom).map(input)}</Stack>
            </details>
          )}
          <NoteField note={note} label="Note" description="Why you changed it. The record keeps it." required={false} />
          {changed && sound && (
            <section aria-label="As it will be">
              <Text fw={600} mb="xs">
                As it will be
              </Text>
              <ActionView kind={card.action.kind} payload={payload} facts={card.facts} askedAt={card.escalatedAt} />
              <DryRun subjectId={card.id} digest={card.digest} payload={payload} subjects={card.facts} />
            </section>
          )}
          {error !== null && error !== undefined && <Problem error={error} />}
          <Group>
            <Button type="submit" loading={sending} disabled={!changed || !sound}>
              Approve and {actWords({ ...card, action: { ...card.action, payload: sound ? payload : before } })} as
              changed
            </Button>
            <Button variant="default" onClick={onCancel}>
              Leave it as it was
            </Button>
            {!changed && (
              <Text size="sm" c="dimmed">
                Nothing is changed yet.
              </Text>
            )}
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}

interface InputProps {
  readonly field: Field;
  readonly currency: string;
  readonly value: string;
  readonly error: string | undefined;
  readonly first: boolean;
  readonly onChange: (value: string) => void;
}

function Input({ field, currency, value, error, first, onChange }: InputProps) {
  const common = { label: field.label, required: field.required, error, 'data-autofocus': first || undefined };
  const typing = {
    ...common,
    value,
    onChange: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value),
    ...(field.maxLength !== undefined && { maxLength: field.maxLength }),
  };
  switch (field.input) {
    case 'choice':
      return (
        <Select
          {...common}
          data={[...field.options]}
          value={value || null}
          allowDeselect={!field.required}
          onChange={(next) => onChange(next ?? '')}
        />
      );
    case 'yes-no':
      return (
        <Switch
          label={field.label}
          checked={value === 'true'}
          onChange={(event) => onChange(String(event.currentTarget.checked))}
        />
      );
    case 'money':
      return <TextInput {...typing} inputMode="decimal" leftSection={currency} leftSectionWidth={52} />;
    case 'number':
      return <TextInput {...typing} inputMode="numeric" />;
    case 'time':
      return <TextInput {...typing} type="datetime-local" step={1} description="In your own time zone" />;
    case 'text':
      return <Textarea {...typing} autosize minRows={4} />;
    case 'list':
      return <Textarea {...typing} autosize minRows={2} description="One a line" />;
    case 'json':
      return <Textarea {...typing} autosize minRows={2} description="As JSON" />;
    case 'line':
      return <TextInput {...typing} />;
  }
}
