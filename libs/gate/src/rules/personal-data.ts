import type { TextRules } from '@countersign/contracts';
import { markOf, mostMarks, placeWords } from '../content/marks.js';
import { oursOf, personalIn } from '../content/personal.js';
import { textRule } from '../content/text-rule.js';
import { foldedOf, perSetting } from '../content/texts.js';

type PersonalData = NonNullable<TextRules['personalData']>;

const compiled = perSetting(({ ours }: PersonalData) => oursOf(ours));

/**
 * No text has an address, a telephone number or an id of a person. An executor fills in what a person is called; nothing else about a
 * person belongs into a text. The reason has the place only, because it is read more widely than the text.
 */
export const personalData = textRule({
  name: 'personal-data',
  setting: 'personalData',
  marks: (setting, { subject, proposal }) =>
    subject.texts.flatMap((text) => {
      const folded = foldedOf(text);
      return personalIn(folded, compiled(setting))
        .filter(
          ({ start, end }) =>
            !(
              subject.spec.channel === 'crm' &&
              isPartOfAccount(folded.text.slice(start, end), proposal.action.accountId)
            ),
        )
        .slice(0, mostMarks + 1)
        .map(({ kind, start, end }) =>
          markOf(text, [folded.from(start), folded.from(end)], {
            outcome: setting.verdict,
            marked: kind,
            detail: `${kind} in ${placeWords(text.place)}: leave it out, or have it added to personalData.ours if it is our own`,
          }),
        );
    }),
  clean: 'no text has an address, a telephone number or an id of a person',
  unset: 'texts are not searched for personal data',
});

/** A text for the CRM may name the account, whatever its id looks like. */
const isPartOfAccount = (found: string, accountId = ''): boolean => accountId.toLowerCase().includes(found);
