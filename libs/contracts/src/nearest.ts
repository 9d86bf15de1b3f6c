/** The word of a list that the author most likely meant; undefined if none is similar. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const plain = word.toLowerCase();
  const within = Math.max(1, Math.floor(word.length / 3));
  let best: { readonly word: string; readonly far: number } | undefined;
  for (const candidate of words) {
    const far = distance(plain.slice(0, 80), candidate.toLowerCase());
    if (far <= within && (!best || far < best.far)) best = { word: candidate, far };
  }
  // If a word was cut short or has extra letters, its beginning is right.
  return (
    best?.word ??
    words.find((candidate) => plain.length >= 3 && (candidate.startsWith(plain) || plain.startsWith(candidate)))
  );
}

/** `; did you mean "x"?`, or an empty text if no word is similar. */
export function didYouMean(word: string, words: readonly string[]): string {
  const meant = nearest(word, words);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

/** The number of letters to add, leave out, replace or swap with a neighbour (optimal string alignment). */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, (last[j] as number) + 1, (row[j - 1] as number) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] as number) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] as number;
}
