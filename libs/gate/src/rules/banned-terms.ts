import { markOf, mostMarks, placeWords } from '../content/marks.js';
import { phrasesOf } from '../content/phrases.js';
import { textRule } from '../content/text-rule.js';
import { foldedOf, perSetting, perText } from '../content/texts.js';

const marksOf = perSetting((terms: readonly string[]) => {
  const phrases = phrasesOf(terms);
  return perText((text) => {
    const folded = foldedOf(text);
    return phrases.find(folded, mostMarks + 1).map(({ phrase, start, end }) =>
      markOf(text, [folded.from(start), folded.from(end)], {
        outcome: 'refuse',
        detail: `"${terms.at(phrase)}" in ${placeWords(text.place)} is a banned term: write it in other words`,
      }),
    );
  });
});

/** No text has a banned term. */
export const bannedTerms = textRule({
  name: 'banned-terms',
  setting: 'bannedTerms',
  marks: (terms, { subject }) => subject.texts.flatMap(marksOf(terms)),
  clean: 'no text has a banned term',
  unset: 'no term is banned',
});
