import { markOf, mostMarks, placeWords } from '../content/marks.js';
import { phrasesOf } from '../content/phrases.js';
import { textRule } from '../content/text-rule.js';
import { foldedOf, perSetting } from '../content/texts.js';

const compiled = perSetting((terms: readonly string[]) => phrasesOf(terms));

/** No text has a banned term. */
export const bannedTerms = textRule({
  name: 'banned-terms',
  setting: 'bannedTerms',
  marks: (terms, { subject }) =>
    subject.texts.flatMap((text) => {
      const folded = foldedOf(text);
      return compiled(terms)
        .find(folded, mostMarks + 1)
        .map(({ phrase, start, end }) =>
          markOf(text, [folded.from(start), folded.from(end)], {
            outcome: 'refuse',
            detail: `"${terms.at(phrase)}" in ${placeWords(text.place)} is a banned term: write it in other words`,
          }),
        );
    }),
  clean: 'no text has a banned term',
  unset: 'no term is banned',
});
