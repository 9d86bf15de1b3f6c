import { Button, Group, Modal, Radio, Stack } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import type { Draft } from '../../app/drafts.js';
import { NoteField, useNote } from '../../parts/note-field.js';
import { type Category, categoryOf, reasonsFor } from '../../parts/rejection-words.js';
import type { Review } from './reviews.queries.js';
import type { Answer } from './use-answer.js';

interface Props {
  readonly subject: Review['subject'];
  /** What its author chose and typed earlier. */
  readonly draft: Draft | undefined;
  readonly onDraft: (draft: Draft) => void;
  readonly onReject: (answer: Pick<Answer, 'category' | 'note'>) => void;
  readonly onClose: () => void;
}

/** Why it is rejected: a reason for the figures, and a note for its readers. */
export function RejectDialog({ subject, draft, onDraft, onReject, onClose }: Props) {
  const [category, setCategory] = useState(categoryOf(draft?.category));
  const note = useNote(draft?.note);
  const [asked, setAsked] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: kept when something is chosen or typed, whoever keeps it
  useEffect(() => {
    if (category || note.typed !== '') onDraft({ mode: 'reject', ...(category && { category }), note: note.typed });
  }, [category, note.typed]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (category) onReject({ category, ...(note.text !== '' && { note: note.text }) });
  };
  return (
    <Modal opened onClose={onClose} title="Reject" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack>
          <Radio.Group
            label="Why"
            required
            value={category ?? ''}
            onChange={(value) => setCategory(value as Category)}
            error={asked && !category ? 'Choose a reason.' : undefined}
          >
            <Stack gap="xs" mt="xs">
              {Object.entries(reasonsFor(subject)).map(([value, words], place) => (
                <Radio key={value} value={value} label={words} {...(place === 0 && { 'data-autofocus': true })} />
              ))}
            </Stack>
          </Radio.Group>
          <NoteField
            note={note}
            label="Note"
            description={`For the people who look after ${subject === 'proposal' ? 'this agent and this play' : 'this play'}. The record keeps it.`}
            required={false}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red" variant="outline">
              {subject === 'proposal' ? 'Reject: nothing runs' : 'Reject: no task goes out'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
