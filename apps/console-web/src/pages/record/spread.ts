/** At most `most` elements of a list: the first, the last, and elements at even distances between them. */
export function spread<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  const step = (list.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, n) => list[Math.round(n * step)] as T);
}

/** Sizes for which two checkpoints sign different roots. */
export function twinsIn(checkpoints: readonly { readonly size: number; readonly root: string }[]): number[] {
  const roots = new Map<number, Set<string>>();
  for (const { size, root } of checkpoints) roots.set(size, (roots.get(size) ?? new Set()).add(root));
  return [...roots].filter(([, seen]) => seen.size > 1).map(([size]) => size);
}

/** The checkpoints that a check compares the record with. */
export interface Compared {
  readonly notes: readonly string[];
  /** When the oldest of them was signed; undefined if there is none. */
  readonly oldest: string | undefined;
}

/** Each checkpoint once. */
export function comparedWith(checkpoints: readonly { readonly note: string; readonly at: string }[]): Compared {
  const [oldest] = checkpoints.map(({ at }) => at).sort();
  return { notes: [...new Set(checkpoints.map(({ note }) => note))], oldest };
}
