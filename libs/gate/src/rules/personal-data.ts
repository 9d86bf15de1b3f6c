import type { PlacedText, TextRules } from '@countersign/contracts';
import { type Mark, markOf, mostMarks, placeWords } from '../content/marks.js';
import { type Ours, oursOf, personalIn } from '../content/personal.js';
import { textRule } from '../content/text-rule.js';
import { firstOf, foldedOf, perSetting, perText, remembered } from '../content/texts.js';

type PersonalData = NonNullable<TextRules['personalData']>;

const marksOf = perSetting(({ verdict, ours }: PersonalData) => {
  const own = oursOf(ours);
  return perText((text) => remembered(marksIn(text, own, verdict)));
});

function* marksIn(text: PlacedText, own: Ours, outcome: PersonalData['verdict']): Generator<Mark> {
  const folded = foldedOf(text);
  for (const { kind, start, end } of personalIn(folded, own))
    yield markOf(text, [folded.from(start), folded.from(end)], {
      outcome,
      marked: kind,
      detail: `${kind} in ${placeWords(text.place)}: leave it out, or have it added to personalData.ours if it is our own`,
    });
}

/**
 * No text has an address, a telephone number or an id of a person. An executor fills in what a person is called; nothing else about a
 * person belongs into a text. The reason has the place only, because it is read more widely than the text.
 */
export const personalData = textRule({
  name: 'personal-data',
  setting: 'personalData',
  marks: (setting, { subject, proposal }) =>
    subject.texts.flatMap((text) =>
      firstOf(
        marksOf(setting)(text),
        mostMarks + 1,
        ({ start, end }) =>
          subject.spec.channel !== 'crm' || !isPartOfAccount(text.text.slice(start, end), proposal.action.accountId),
      ),
    ),
  clean: 'no text has an address, a telephone number or an id of a person',
  unset: 'texts are not searched for personal data',
});

/** A text for the CRM may name the account, whatever its id looks like. */
const isPartOfAccount = (found: string, accountId = ''): boolean =>
  accountId.toLowerCase().includes(found.toLowerCase());
