import { Button, Group, Modal, Radio, Stack } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { NoteField, useNote } from '../../parts/note-field.js';
import type { Answer } from './use-answer.js';

type Category = NonNullable<Answer['category']>;
const categories: Readonly<Record<Category, string>> = {
  'wrong-time': 'The wrong moment',
  'wrong-person': 'The wrong person or account',
  'wrong-content': 'The text or figure is wrong',
  'too-much': 'Too much: money, messages or pressure',
  'not-needed': 'Not needed',
  other: 'Something else',
};
export const categoryWords = (category: Category | null): string | undefined =>
  category === null ? undefined : categories[category];

interface Props {
  readonly onReject: (answer: Pick<Answer, 'category' | 'note'>) => void;
  readonly onClose: () => void;
}

/** Why it is rejected: a reason for the figures of the agent, and a note for whoever reads it. */
export function RejectDialog({ onReject, onClose }: Props) {
  const [category, setCategory] = useState<Category>();
  const note = useNote();
  const [asked, setAsked] = useState(false);
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
              {Object.entries(categories).map(([value, words], place) => (
                <Radio key={value} value={value} label={words} {...(place === 0 && { 'data-autofocus': true })} />
              ))}
            </Stack>
          </Radio.Group>
          <NoteField
            note={note}
            label="Note"
            description="For the people who look after this agent and this play. The record keeps it."
            required={false}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red" variant="outline">
              Reject: nothing runs
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
