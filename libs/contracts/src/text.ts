/** Whether Postgres `jsonb` can store a value, by its JSON. It refuses `\u0000` and halves of surrogate pairs. */
export const fitsJsonb = (json: string): boolean => !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/.test(json);

/** A value as JSON that Postgres can store and read again: with U+FFFD in place of each NUL and each half of a surrogate pair. */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'string' ? part.replaceAll('\u0000', '\ufffd').toWellFormed() : part,
  );

/** A text cut to at most `most` UTF-16 units, between characters as a reader counts them: no half of a surrogate pair, no lost accent. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  // The text after the cut decides where the last character ends. A character is never this long.
  const near = text.slice(0, most + 64);
  let end = 0;
  for (const { index } of graphemes.segment(near)) {
    if (index > most) break;
    end = index;
  }
  return text.slice(0, end === 0 ? most : end).toWellFormed();
}
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A duration in the largest unit of which there are two or more, never shorter than it is: `6 minutes`, `36 hours`, `2 days`. */
export function roughly(ms: number): string {
  for (const [unit, length] of [
    ['day', 86_400_000],
    ['hour', 3_600_000],
  ] as const)
    if (ms >= 2 * length) return `${Math.ceil(ms / length).toLocaleString('en')} ${unit}s`;
  const minutes = Math.ceil(ms / 60_000);
  return `${minutes} minute${minutes === 1 ? '' : 's'}`;
}
