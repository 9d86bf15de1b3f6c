/** One content of a key under one version, from a table or a record. */
export interface Content {
  readonly version: number;
  /** When it was made, milliseconds since 1970. */
  readonly at: number;
  /** A hash of the published bytes. */
  readonly hash: number;
}

/** The highest version that a topic has shown of a key. `hash` is null if it has shown two contents under that version. */
export interface Shown {
  readonly version: number;
  readonly at: number;
  readonly hash: number | null;
}

/** The shown version after one more record. Of an unreadable record only the version is known. */
export function shownAfter(before: Shown | undefined, record: Content): Shown {
  if (!before || before.version < record.version) return record;
  if (before.version > record.version || before.hash === record.hash) return before;
  return { version: before.version, at: Math.max(before.at, record.at), hash: null };
}

/**
 * What the writer of a state topic does with a key: nothing, take a record over as it is, or publish a content again above all
 * versions.
 */
export type Mend<C> =
  | { readonly does: 'nothing' }
  | { readonly does: 'adopt'; readonly content: C }
  | { readonly does: 'raise'; readonly content: C | 'table'; readonly above: number }
  /** The key has no content; its next version comes above this one. */
  | { readonly does: 'reserve'; readonly above: number };

/**
 * Decides the step for a key. `shown` is what the topic has shown. `rivals` are readable records that the table never had. A
 * correct table has no rivals, because a version is committed before it is published. The later change is the truth, whatever its
 * version. But if a version was used twice, or is below one that readers hold, readers ignore it until it is raised.
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
