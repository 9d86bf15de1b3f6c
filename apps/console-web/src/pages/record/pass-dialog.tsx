import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef } from 'react';
import { NoteField, useNote } from '../../parts/note-field.js';
import { Problem } from '../../parts/problem.js';
import type { WithSeen } from '../../parts/use-seen.js';
import { askForPass, type PassUse } from './pass.js';
import { type Chosen, chooseFile } from './save.js';

const words: Readonly<Record<PassUse, { readonly title: string; readonly act: string; readonly does: string }>> = {
  verify: {
    title: 'Verify every entry',
    act: 'Verify, on record',
    does: 'This browser downloads the whole record and checks every entry, every event and every checkpoint. It keeps nothing.',
  },
  export: {
    title: 'Export the record',
    act: 'Export, on record',
    does: 'This browser downloads the whole record, checks it, and saves it as a file. The file holds every event: keep it where only auditors can read it.',
  },
};

interface Props {
  readonly use: PassUse;
  readonly fileName: string;
  readonly seen: () => Promise<WithSeen>;
  readonly onBegin: (secret: string, chosen: Chosen | undefined) => void;
  readonly onClose: () => void;
}

/** Asks why the person reads the whole record. The record stores the reason. */
export function PassDialog({ use, fileName, seen, onBegin, onClose }: Props) {
  const purpose = useNote();
  const { title, act, does } = words[use];
  const isOpen = useRef(false);
  useEffect(() => {
    isOpen.current = true;
    return () => {
      isOpen.current = false;
    };
  }, []);
  const asking = useMutation({
    gcTime: 0,
    mutationFn: async (text: string) => {
      // This comes first, because a browser lets a page ask for a file only directly after a click.
      const chosen = use === 'export' ? await chooseFile(fileName) : undefined;
      if (chosen === 'nothing-chosen') return;
      const secret = await askForPass({ use, purpose: text, ...(await seen()) });
      // The person closed the dialog in the meantime, so nothing more is wanted.
      if (isOpen.current) onBegin(secret, chosen);
    },
  });
  const ask = (event: FormEvent) => {
    event.preventDefault();
    if (purpose.text !== '') asking.mutate(purpose.text);
  };
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={ask}>
        <Stack>
          <Text size="sm">{does}</Text>
          <Text size="sm">
            The record keeps that you asked, and why. Everybody who is signed in sees it on this page.
          </Text>
          <NoteField
            note={purpose}
            label="What is it for?"
            description="Such as “yearly audit 2026”. No names and no addresses: this stays on the record."
            most={200}
            first
          />
          {asking.isError && <Problem error={asking.error} />}
          {asking.isPending && (
            <Text size="sm" role="status">
              {use === 'export' ? 'Choose where to save the file. Then this page asks' : 'Asking'} the console for
              permission to read the record.
            </Text>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={purpose.text === ''} loading={asking.isPending}>
              {act}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
