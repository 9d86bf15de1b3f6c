/** One content of a key under one version: what a table or a record says. */
export interface Content {
  readonly version: number;
  /** When it was made, milliseconds since 1970. */
  readonly at: number;
  /** Of the bytes that were published. */
  readonly hash: number;
}

/** The highest version that a topic has shown of a key. `hash` is null where it has shown two contents under that version. */
export interface Shown {
  readonly version: number;
  readonly at: number;
  readonly hash: number | null;
}

/** What a record adds to what was told before. Of a record that nobody could read, only the version is known. */
export function shownAfter(before: Shown | undefined, record: Content): Shown {
  if (!before || before.version < record.version) return record;
  if (before.version > record.version || before.hash === record.hash) return before;
  return { version: before.version, at: Math.max(before.at, record.at), hash: null };
}

/** What the writer of a state topic does with a key: leave it, take a record over as it is, or say a content again above all versions. */
export type Mend<C> =
  | { readonly does: 'nothing' }
  | { readonly does: 'adopt'; readonly content: C }
  | { readonly does: 'raise'; readonly content: C | 'table'; readonly above: number }
  /** Nothing is left to say of the key; the next version comes above this one. */
  | { readonly does: 'reserve'; readonly above: number };

/**
 * Decides for a key. `shown` is what its topic has shown, `rivals` are the readable records that the table has never had: a table
 * that is as it should be has none, since a version is committed before it is published. The later change is the truth, whatever
 * its version: a version that was given out twice, or below one that readers hold, is void for them until it is raised.
 */
export function mend<C extends Content>(row: Content | undefined, rivals: readonly C[], shown: Shown): Mend<C> {
  const latest = rivals.reduce<C | undefined>((a, b) => (a && !isLater(b, a) ? a : b), undefined);
  if (latest && (!row || isLater(latest, row))) {
    const adoptable = latest.version === shown.version && shown.hash !== null && (row?.version ?? 0) < shown.version;
    return adoptable ? { does: 'adopt', content: latest } : { does: 'raise', content: latest, above: shown.version };
  }
  const stands = row && (row.version > shown.version || (row.version === shown.version && row.hash === shown.hash));
  if (stands) return { does: 'nothing' };
  return row ? { does: 'raise', content: 'table', above: shown.version } : { does: 'reserve', above: shown.version };
}

const isLater = (a: Content, b: Content): boolean => a.at > b.at || (a.at === b.at && a.version > b.version);
