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
const keyOf = ({ person, id, digest }: Drafted): string => `${prefix}${JSON.stringify([id, digest, person])}`;

/** Drafts live in this tab alone, until they are sent or their author signs out. A browser that keeps nothing loses them with the page. */
export const drafts = (shelf: Shelf = window.sessionStorage) => ({
  keep(card: Drafted, draft: Draft): void {
    try {
      shelf.setItem(keyOf(card), JSON.stringify(draft));
    } catch {
      // Full, or forbidden: the form itself still has it.
    }
  },
  find(card: Drafted): Draft | undefined {
    try {
      const draft: unknown = JSON.parse(shelf.getItem(keyOf(card)) ?? 'null');
      return isDraft(draft) ? draft : undefined;
    } catch {
      return undefined;
    }
  },
  forget: (card: Drafted): void => shelf.removeItem(keyOf(card)),
  forgetAll(): void {
    const keys = Array.from({ length: shelf.length }, (_, n) => shelf.key(n));
    for (const key of keys) if (key?.startsWith(prefix)) shelf.removeItem(key);
  },
});

const isDraft = (draft: unknown): draft is Draft =>
  typeof draft === 'object' && draft !== null && 'mode' in draft && (draft.mode === 'edit' || draft.mode === 'reject');
