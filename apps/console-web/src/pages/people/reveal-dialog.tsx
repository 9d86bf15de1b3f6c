import { Button, Checkbox, Group, Modal, Select, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { fresh } from '../../app/queries.js';
import { NoteField, useNote } from '../../parts/note-field.js';
import { Problem } from '../../parts/problem.js';
import type { WithSeen } from '../../parts/use-seen.js';
import { type Asking, type Revealed, reveal } from './reveal.js';
import { fieldWords, purposeWords } from './words.js';

type Field = Asking['fields'][number];
type Purpose = Asking['purpose'];
const fields = Object.entries(fieldWords) as [Field, string][];
const purposes = Object.entries(purposeWords).map(([value, label]) => ({ value, label }));

/** Asks which fields to reveal and why, then waits for the answer. The revealed data goes to `onRevealed` and is never cached. */
export function RevealDialog({
  contactId,
  seen,
  onRevealed,
  onClose,
}: {
  readonly contactId: string;
  readonly seen: () => Promise<WithSeen>;
  readonly onRevealed: (revealed: Revealed) => void;
  readonly onClose: () => void;
}) {
  const [wanted, setWanted] = useState<Field[]>(['name']);
  const [purpose, setPurpose] = useState<Purpose | null>(null);
  const note = useNote();
  const leaving = useRef<AbortController>(null);
  useEffect(() => {
    const controller = new AbortController();
    leaving.current = controller;
    return () => controller.abort();
  }, []);
  const asking = useMutation({
    gcTime: 0,
    mutationFn: async (asked: Omit<Asking, 'seen'>) => {
      const signal = leaving.current?.signal ?? AbortSignal.abort();
      const revealed = await reveal(contactId, { ...asked, ...(await seen()) }, signal);
      if (!signal.aborted) onRevealed(revealed);
    },
    onSettled: () => fresh.now({ queryKey: ['people', 'reveals', contactId] }),
  });
  const complete = wanted.length > 0 && purpose !== null && note.text !== '';
  const ask = (event: FormEvent) => {
    event.preventDefault();
    if (wanted.length > 0 && purpose !== null && note.text !== '')
      asking.mutate({ fields: wanted, purpose, note: note.text });
  };
  return (
    <Modal opened onClose={onClose} title="Reveal who this is" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={ask}>
        <Stack>
          <Text size="sm">
            The record keeps that you asked, for what, and why. Everybody who is signed in sees this on the page of the
            person. The answer is encrypted to this browser page only. The page hides the answer again after a minute.
          </Text>
          <Checkbox.Group
            label="What do you need?"
            value={wanted}
            onChange={(chosen) => setWanted(chosen as Field[])}
            required
          >
            <Group mt="xs">
              {fields.map(([value, label]) => (
                <Checkbox key={value} value={value} label={label} />
              ))}
            </Group>
          </Checkbox.Group>
          <Select
            label="Purpose"
            data={purposes}
            value={purpose}
            onChange={(chosen) => setPurpose(chosen as Purpose | null)}
            required
          />
          <NoteField
            note={note}
            label="Which case?"
            description="Such as the number of the request. No names and no addresses: this stays on the record."
            most={200}
          />
          {asking.isError && <Problem error={asking.error} />}
          {asking.isPending && (
            <Text size="sm" role="status">
              The request is on the record. Waiting for the answer, two minutes at most.
            </Text>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={!complete} loading={asking.isPending}>
              Reveal, on record
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
