import { placeholderFaults, placeholderNames } from '@countersign/contracts';
import { markOf, mostMarks, placeWords } from '../content/marks.js';
import { textRule } from '../content/text-rule.js';

const known = placeholderNames.map((name) => `{{${name}}}`).join(', ');

/** Every placeholder can be filled in by the executor. Only a mailer fills in placeholders. */
export const placeholders = textRule({
  name: 'placeholders',
  setting: 'placeholdersMustFill',
  marks: (must, { subject }) => {
    if (!must) return [];
    const fillable = subject.spec.connector === 'mailer';
    const advice = fillable ? `there is ${known}` : 'a text of this kind can have none, so write it without';
    return subject.texts.flatMap((text) =>
      placeholderFaults(text.text, fillable && text.role === 'text')
        .slice(0, mostMarks + 1)
        .map(({ found, index }) =>
          markOf(text, [index, index + found.length], {
            outcome: 'refuse',
            detail: `the placeholder ${found} in ${placeWords(text.place)} cannot be filled in: ${advice}`,
          }),
        ),
    );
  },
  clean: 'every placeholder can be filled in',
  unset: 'placeholders are not looked at before the message is written',
});
