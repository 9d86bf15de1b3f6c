import type { TextRules } from '@countersign/contracts';
import { markOf, mostMarks, placeWords, someOf } from '../content/marks.js';
import { phrasesOf } from '../content/phrases.js';
import { textRule } from '../content/text-rule.js';
import { foldedOf, perSetting } from '../content/texts.js';

type Claims = NonNullable<TextRules['claims']>;

const compiled = perSetting((claims: Claims) => ({
  claimed: phrasesOf(claims.map(({ claim }) => claim)),
  evidence: claims.map(({ evidence }) => phrasesOf(evidence)),
}));

/** A text that makes a claim cites a piece of its approved evidence, anywhere in the action. Otherwise a person answers for it. */
export const claims = textRule({
  name: 'claims',
  setting: 'claims',
  marks: (given, { subject }) => {
    const { claimed, evidence } = compiled(given);
    return subject.texts.flatMap((text) => {
      const folded = foldedOf(text);
      return claimed.find(folded, mostMarks + 1).flatMap(({ phrase, start, end }) => {
        if (subject.texts.some((other) => evidence.at(phrase)?.has(foldedOf(other)))) return [];
        const { claim = '', evidence: approved = [] } = given.at(phrase) ?? {};
        const advice =
          approved.length === 0
            ? 'no evidence of it is approved, so a person answers for it'
            : `cite ${someOf(approved)}, or a person answers for it`;
        return [
          markOf(text, [folded.from(start), folded.from(end)], {
            outcome: 'escalate',
            detail: `the claim "${claim}" in ${placeWords(text.place)} cites no approved evidence: ${advice}`,
          }),
        ];
      });
    });
  },
  clean: 'no claim is without its evidence',
  unset: 'no claim needs evidence',
});
