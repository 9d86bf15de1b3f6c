import { read, type Shelf, write } from './shelf.js';

/** An answer that somebody has begun to write and has not sent. */
export interface Draft {
  readonly mode: 'edit' | 'reject';
  /** What was typed, by the input's name. */
  readonly typed?: Readonly<Record<string, string>>;
  readonly category?: string;
  readonly note?: string;
}

/** The content that a draft answers. Other content under the same id is another card. A draft is shown only to its author. */
export interface Drafted {
  readonly person: string;
  readonly id: string;
  readonly digest: string;
}

/** A shelf whose keys can be listed. */
type DraftShelf = Shelf & Pick<Storage, 'key' | 'length'>;

const prefix = 'draft:';
type Mode = Draft['mode'];
const keyOf = ({ person, id, digest }: Drafted, mode: Mode): string =>
  `${prefix}${JSON.stringify([id, digest, person, mode])}`;

/**
 * A draft exists only in this tab, until it is sent or its author signs out. If the browser stores nothing, the draft is lost with
 * the page.
 */
export const drafts = (shelf: () => DraftShelf = () => window.sessionStorage) => ({
  /** If the browser stores nothing, the form itself still has the draft. */
  save: (card: Drafted, draft: Draft): void => write(shelf, keyOf(card, draft.mode), JSON.stringify(draft)),
  /** An edit and a rejection are separate drafts. */
  find(card: Drafted, mode: Mode): Draft | undefined {
    const draft = parsed(read(shelf, keyOf(card, mode)) ?? 'null');
    return isDraft(draft) && draft.mode === mode ? draft : undefined;
  },
  /** The drafts of this person for this id, whatever its content was at the time. They are of one mode, or of both. */
  forget({ person, id }: Omit<Drafted, 'digest'>, mode?: Mode): void {
    for (const key of keysOf(shelf)) {
      const [ofId, , ofPerson, ofMode] = partsOf(key);
      if (ofId === id && ofPerson === person && (mode === undefined || ofMode === mode)) write(shelf, key, null);
    }
  },
  forgetAll(): void {
    for (const key of keysOf(shelf)) write(shelf, key, null);
  },
});

function keysOf(shelf: () => DraftShelf): string[] {
  try {
    const place = shelf();
    return Array.from({ length: place.length }, (_, n) => place.key(n) ?? '').filter((key) => key.startsWith(prefix));
  } catch {
    return [];
  }
}

/** Undefined if the text is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function partsOf(key: string): readonly unknown[] {
  const parts = parsed(key.slice(prefix.length));
  return Array.isArray(parts) ? parts : [];
}

const isDraft = (draft: unknown): draft is Draft =>
  typeof draft === 'object' && draft !== null && 'mode' in draft && (draft.mode === 'edit' || draft.mode === 'reject');
