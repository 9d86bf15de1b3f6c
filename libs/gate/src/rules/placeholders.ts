import { type PlacedText, placeholderFaults, placeholderNames } from '@countersign/contracts';
import { type Mark, markOf, mostMarks, placeWords } from '../content/marks.js';
import { textRule } from '../content/text-rule.js';
import { perText } from '../content/texts.js';

const known = placeholderNames.map((name) => `{{${name}}}`).join(', ');

/** What looks like a name. Anything else in braces may be about a person, and a reason quotes nothing about a person. */
const isName = (found: string): boolean => /^[{}\sA-Za-z._]{1,60}$/.test(found) && !/\p{L}\s+\p{L}/u.test(found);

const marksIn =
  (fillable: boolean, advice: string) =>
  (text: PlacedText): readonly Mark[] =>
    placeholderFaults(text.text, fillable && text.role === 'text')
      .slice(0, mostMarks + 1)
      .map(({ found, index }) =>
        markOf(text, [index, index + found.length], {
          outcome: 'refuse',
          ...(isName(found) ? {} : { marked: 'what stands in braces' }),
          detail: `the placeholder ${isName(found) ? found : '(what stands in braces)'} in ${placeWords(text.place)} cannot be filled in: ${advice}`,
        }),
      );
const ofMessage = perText(marksIn(true, `there is ${known}`));
const ofOther = perText(marksIn(false, 'a text of this kind can have none, so write it without'));

/** Every placeholder can be filled in by the executor. Only a mailer fills in placeholders. */
export const placeholders = textRule({
  name: 'placeholders',
  setting: 'placeholdersMustFill',
  marks: (must, { subject: { texts, spec } }) =>
    must ? texts.flatMap(spec.connector === 'mailer' ? ofMessage : ofOther) : [],
  clean: 'every placeholder can be filled in',
  unset: 'placeholders are not looked at before the message is written',
});
