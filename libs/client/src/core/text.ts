import type { createColors } from 'picocolors';

/** Colours, or functions that change nothing if the output is not a terminal. */
export type Paint = ReturnType<typeof createColors>;

// Control characters of terminals and those that change the direction of writing, except the line feed.
const steering = /[^\P{C}\n\u{AD}]|[\u2028\u2029]/gu;

/** A text of several lines without the characters that could control a terminal. The caller marks each printed line as its own. */
export const printableLines = (text: string): string => text.replace(steering, '\uFFFD');

/**
 * A value whose texts are one line each and cannot control a terminal. An agent or a stranger may have written them, and a line
 * break in one would forge a line of the answer. Everything that is printed for people goes through here or `printableLines`.
 */
export function printable<T>(value: T): T {
  if (typeof value === 'string') return printableLines(value).replaceAll('\n', ' ⏎ ') as T;
  if (Array.isArray(value)) return value.map(printable) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [printable(name), printable(inner)])) as T;
}

/** JSON for a pipe or a terminal. Characters that could control a terminal are written as escapes, which mean the same. */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(steering, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );

/**
 * Rows in columns, each as wide as its widest cell. The last cell of a row is not padded, and a cell is one line. `tint` colours a
 * cell after padding.
 */
export function table(
  rows: readonly (readonly string[])[],
  tint: (cell: string, column: number, row: number) => string = (cell) => cell,
): string {
  const lines = rows.map((row) => row.slice(0, row.findLastIndex((cell) => cell !== '') + 1));
  const widths: number[] = [];
  for (const row of lines) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return lines
    .map((row, n) =>
      row.map((cell, i) => tint(i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0), i, n)).join('  '),
    )
    .join('\n');
}

/** A table under its headings. */
export const titled = (paint: Paint, headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  table([headings, ...rows], (cell, _column, row) => (row === 0 ? paint.dim(cell) : cell));

/** Amounts of a map, largest first: `contract 3, stale 1`. */
export const tally = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([name, n]) => `${name} ${n}`)
    .join(', ');

export const count = (n: number, singular: string, many = `${singular}s`): string =>
  `${n} ${n === 1 ? singular : many}`;

/** `2026-11-21 10:00:00Z`: an instant without its milliseconds, for reading. */
export const clock = (instant: string): string => instant.replace('T', ' ').replace(/\.\d+Z$/, 'Z');

/** `2026-11-21 11:00:00+01:00`: the same in the time zone of this computer, or of `TZ`. */
export function localClock(instant: string): string {
  const date = new Date(instant);
  const east = -date.getTimezoneOffset();
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  const shifted = new Date(date.getTime() + east * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  return `${shifted}${east < 0 ? '-' : '+'}${two(Math.abs(east) / 60)}:${two(Math.abs(east) % 60)}`;
}

/** How long until, or since: `in 12 min`, `3 h ago`. */
export function distance(instant: string, now: string): string {
  const seconds = Math.round((Date.parse(instant) - Date.parse(now)) / 1000);
  const size = Math.abs(seconds);
  const detail =
    size < 90
      ? `${size} s`
      : size < 5400
        ? `${Math.round(size / 60)} min`
        : size < 172_800
          ? `${Math.round(size / 3600)} h`
          : `${Math.round(size / 86_400)} days`;
  return seconds >= 0 ? `in ${detail}` : `${detail} ago`;
}

/** Text broken at spaces into lines of at most `width`, each after `indent`. */
export function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && indent.length + line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
    lines.push(line);
  }
  return lines.map((line) => `${indent}${line}`.trimEnd()).join('\n');
}
