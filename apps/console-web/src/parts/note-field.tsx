import { Textarea } from '@mantine/core';
import { useState } from 'react';

/** What a person writes beside an act, and the part of it that counts: the text without white space around it. */
export interface Note {
  readonly typed: string;
  readonly text: string;
  readonly write: (typed: string) => void;
}

/** `begun` is what its author wrote earlier. */
export function useNote(begun = ''): Note {
  const [typed, write] = useState(begun);
  return { typed, text: typed.trim(), write };
}

interface Props {
  readonly note: Note;
  readonly label: string;
  readonly description?: string;
  /** The greatest length that the console accepts. */
  readonly most?: number;
  readonly required?: boolean;
  /** Whether a dialog opens with the focus in this field. */
  readonly first?: boolean;
}

/** The note on a person's act, which the record stores. */
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
