/** An answer that somebody has begun to write and has not sent. */
export interface Draft {
  readonly mode: 'edit' | 'reject';
  /** What was typed, by the input's name. */
  readonly typed?: Readonly<Record<string, string>>;
  readonly category?: string;
  readonly note?: string;
}

/** What a draft answers: another content under the same id is another card, and nobody else's draft is shown to anybody. */
export interface Drafted {
  readonly person: string;
  readonly id: string;
  readonly digest: string;
}

type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

const prefix = 'draft:';
type Mode = Draft['mode'];
const keyOf = ({ person, id, digest }: Drafted, mode: Mode): string =>
  `${prefix}${JSON.stringify([id, digest, person, mode])}`;

/** Drafts live in this tab alone, until they are sent or their author signs out. A browser that keeps nothing loses them with the page. */
export const drafts = (shelf: Shelf = window.sessionStorage) => ({
  keep(card: Drafted, draft: Draft): void {
    try {
      shelf.setItem(keyOf(card, draft.mode), JSON.stringify(draft));
    } catch {
      // Full, or forbidden: the form itself still has it.
    }
  },
  /** An edit is no beginning of a rejection: each has its own. */
  find(card: Drafted, mode: Mode): Draft | undefined {
    try {
      const draft: unknown = JSON.parse(shelf.getItem(keyOf(card, mode)) ?? 'null');
      return isDraft(draft) && draft.mode === mode ? draft : undefined;
    } catch {
      return undefined;
    }
  },
  /** What this person has begun to write about this id, whatever its content was then; of one mode, or of both. */
  forget({ person, id }: Omit<Drafted, 'digest'>, mode?: Mode): void {
    for (const key of keysOf(shelf)) {
      const [ofId, , ofPerson, ofMode] = partsOf(key);
      if (ofId === id && ofPerson === person && (mode === undefined || ofMode === mode)) shelf.removeItem(key);
    }
  },
  forgetAll(): void {
    for (const key of keysOf(shelf)) shelf.removeItem(key);
  },
});

const keysOf = (shelf: Shelf): string[] =>
  Array.from({ length: shelf.length }, (_, n) => shelf.key(n) ?? '').filter((key) => key.startsWith(prefix));

function partsOf(key: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(key.slice(prefix.length));
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

const isDraft = (draft: unknown): draft is Draft =>
  typeof draft === 'object' && draft !== null && 'mode' in draft && (draft.mode === 'edit' || draft.mode === 'reject');
