import { clock, type Paint, printable } from '@countersign/client/core';
import { scopeName } from './scope.js';

/** An entry that can be watched: a row of a list, with a text that shows a change of it. */
export interface Seen {
  readonly what: 'review' | 'story' | 'control' | 'dead letter';
  readonly id: string;
  /** A text that changes with the entry. */
  readonly state: string;
  /** The state in words, where a person reads other words than a program. */
  readonly words?: string;
  readonly detail: string;
  /** The same for people, with names where the console knows them. */
  readonly named?: string;
  /** What a control's scope is called, if the console knows it. */
  readonly name?: string | null;
}

export type Known = ReadonlyMap<string, Seen>;

export interface LiveEvent {
  readonly event: string;
  readonly data: string;
}

const nameOf = ({ what, id }: Seen): string => `${what} ${id}`;
export const knownOf = (rows: readonly Seen[]): Known => new Map(rows.map((row) => [nameOf(row), row]));
export const changedRows = (before: Known, rows: readonly Seen[]): readonly Seen[] =>
  rows.filter((row) => before.get(nameOf(row))?.state !== row.state);

/** Reviews that were open and are no longer in any list. The caller has to ask for their results. */
export const missedReviews = (before: Known, rows: readonly Seen[]): readonly string[] => {
  const now = knownOf(rows);
  return [...before]
    .filter(
      ([name, { what, state }]) => what === 'review' && (state === 'open' || state === 'answered') && !now.has(name),
    )
    .map(([, { id }]) => id);
};

/** Reads the next event of a stream of server-sent events from its lines; undefined while no event is complete. */
export function eventReader(): (line: string) => LiveEvent | undefined {
  let event = '';
  let data = '';
  return (line) => {
    if (line.startsWith('event: ')) event = line.slice(7).trim();
    else if (line.startsWith('data: ')) data = line.slice(6);
    else if (line.trim() === '' && event !== '') {
      const read = { event, data };
      event = '';
      data = '';
      return read;
    }
    return undefined;
  };
}

export function seenText(paint: Paint, at: string, given: Seen): string {
  const { what, id, state, words = state, detail, named = detail, name } = printable(given);
  return `${paint.dim(clock(at))}  ${what.padEnd(11)}  ${paint.bold(words)}  ${named}  ${paint.dim(name ? scopeName(id, name) : id)}`;
}
