import type { TextRules } from '@countersign/contracts';
import { markOf, mostMarks, placeWords, someOf } from '../content/marks.js';
import { phrasesOf } from '../content/phrases.js';
import { textRule } from '../content/text-rule.js';
import { firstOf, foldedOf, perSetting, perText } from '../content/texts.js';
import { hasAnyOf } from './required-elements.js';

type Claims = NonNullable<TextRules['claims']>;

const compiled = perSetting((claims: Claims) => {
  const phrases = phrasesOf(claims.map(({ claim }) => claim));
  return {
    // All of them: the one without its evidence may be the last.
    claimedIn: perText((text) => {
      const folded = foldedOf(text);
      return phrases
        .find(folded, Number.POSITIVE_INFINITY)
        .map(({ phrase, start, end }) => ({ phrase, start: folded.from(start), end: folded.from(end) }));
    }),
    evidence: claims.map(({ evidence }) => hasAnyOf(evidence)),
  };
});

/**
 * A text that makes a claim cites a piece of its approved evidence, anywhere in the action. Otherwise a person answers for it. Of two
 * claims that begin at one place, the longer one counts, with its own evidence.
 */
export const claims = textRule({
  name: 'claims',
  setting: 'claims',
  marks: (given, { subject }) => {
    const { claimedIn, evidence } = compiled(given);
    const cited = new Map<number, boolean>();
    const isCited = (phrase: number): boolean => {
      const known = cited.get(phrase) ?? subject.texts.some((text) => evidence.at(phrase)?.(text));
      cited.set(phrase, known);
      return known;
    };
    return subject.texts.flatMap((text) =>
      firstOf(claimedIn(text), mostMarks + 1, ({ phrase }) => !isCited(phrase)).map(({ phrase, start, end }) => {
        const { claim = '', evidence: approved = [] } = given.at(phrase) ?? {};
        const advice =
          approved.length === 0
            ? 'no evidence of it is approved, so a person answers for it'
            : `cite ${someOf(approved)}, or a person answers for it`;
        return markOf(text, [start, end], {
          outcome: 'escalate',
          detail: `the claim "${claim}" in ${placeWords(text.place)} cites no approved evidence: ${advice}`,
        });
      }),
    );
  },
  clean: 'no claim is without its evidence',
  unset: 'no claim needs evidence',
});
