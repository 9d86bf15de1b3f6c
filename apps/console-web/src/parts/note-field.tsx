import { Textarea } from '@mantine/core';
import { useState } from 'react';

/** What somebody writes beside an act, and the part of it that counts: without what stands around it. */
export interface Note {
  readonly typed: string;
  readonly text: string;
  readonly write: (typed: string) => void;
}

/** `begun` is what its author wrote before. */
export function useNote(begun = ''): Note {
  const [typed, write] = useState(begun);
  return { typed, text: typed.trim(), write };
}

interface Props {
  readonly note: Note;
  readonly label: string;
  readonly description?: string;
  /** As long as the console takes it. */
  readonly most?: number;
  readonly required?: boolean;
  /** Whether a dialog begins here. */
  readonly first?: boolean;
}

/** The words that go with an act of a person and that the record keeps. */
export const NoteField = ({ note, label, description, most = 1000, required = true, first = false }: Props) => (
  <Textarea
    label={label}
    description={description}
    value={note.typed}
    onChange={(event) => note.write(event.currentTarget.value)}
    maxLength={most}
    autosize
    minRows={2}
    required={required}
    data-autofocus={first || undefined}
  />
);
