import { clip, type PlacedText } from '@countersign/contracts';
import { escalate, type Finding, pass, refuse } from '../rule.js';

/** A place in a text that a rule is against, and what to change. Start and end are UTF-16 offsets in the text as it was proposed. */
export interface Mark {
  readonly outcome: 'refuse' | 'escalate';
  readonly place: string;
  readonly start: number;
  readonly end: number;
  /** What stands there, cut short; or what kind of thing, where the text itself is not to be repeated. */
  readonly marked: string;
  readonly detail: string;
}

/** A reason marks so many places. A text with more is wrong in each of these already. */
export const mostMarks = 5;

/** A mark of a part of a text. */
export const markOf = (
  { place, text }: PlacedText,
  [start, end]: readonly [number, number],
  rest: Pick<Mark, 'outcome' | 'detail'> & { readonly marked?: string },
): Mark => ({
  place,
  start,
  end,
  marked: rest.marked ?? clip(text.slice(start, end).replace(/\s+/g, ' '), 80),
  outcome: rest.outcome,
  detail: rest.detail,
});

/**
 * The finding of a rule that marked these places: the gravest outcome, the words of each mark, and their places as figures: `place`,
 * `start`, `end` and `marked`, from the second on with their number (`place2`).
 */
export function findingOf(marks: readonly Mark[], clean: string): Finding {
  if (marks.length === 0) return pass(clean);
  const graveFirst = [...marks].sort((a, b) => Number(b.outcome === 'refuse') - Number(a.outcome === 'refuse'));
  const shown = graveFirst.slice(0, mostMarks);
  const details = [...new Set(shown.map(({ detail }) => detail))];
  const more = marks.length > mostMarks ? [`and more of this kind`] : [];
  const figures = Object.fromEntries(
    shown.flatMap(({ place, start, end, marked }, i) =>
      Object.entries({ place, start, end, marked }).map(([name, value]) => [i === 0 ? name : `${name}${i + 1}`, value]),
    ),
  );
  const found = graveFirst[0]?.outcome === 'refuse' ? refuse : escalate;
  return found([...details, ...more].join('; '), figures);
}

/** Some phrases of a setting, for a sentence: `"a", "b" or "c"`. */
export function someOf(phrases: readonly string[], most = 3): string {
  const quoted = phrases.slice(0, most).map((phrase) => `"${clip(phrase, 60)}"`);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}

/** `the body`, for a place of a payload. */
export const placeWords = (place: string): string => `the ${place.replace(/^payload\./, '')}`;
