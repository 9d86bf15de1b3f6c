import { clip, type NoticePart, noticeParts, own, type TextRules } from '@countersign/contracts';
import { someOf } from '../content/marks.js';
import { hasEuropeanRights } from '../content/regions.js';
import { textRule } from '../content/text-rule.js';
import { perSetting } from '../content/texts.js';
import type { OriginFact } from '../facts.js';
import { hasAnyOf, isFirstTo, missingFrom, readTexts } from './required-elements.js';

type Notice = NonNullable<TextRules['dataNotice']>;

const compiled = perSetting((notice: Notice) =>
  noticeParts.map((part) => ({ part, anyOf: own(notice, part) ?? [], isIn: hasAnyOf(own(notice, part) ?? []) })),
);

/** What each part says, as GDPR Art. 14 asks for it. */
const words: Readonly<Record<NoticePart, string>> = {
  senderIdentity: 'who sends it',
  purpose: 'what the data is used for',
  legalBasis: 'the legal basis',
  dataSource: 'where the data came from',
  retention: 'how long the data is stored',
  rights: 'the rights of the person',
  postalAddress: 'a postal address',
  wayOut: 'a way out',
};

/**
 * The first message to a person whose data came from elsewhere has the eight parts of the notice, if the person is or may be in the
 * EU, the EEA or the United Kingdom. What is not known about a person's data counts as elsewhere, and an address that a list gave is the
 * list's, whatever the person does later.
 */
export const dataNotice = textRule({
  name: 'data-notice',
  setting: 'dataNotice',
  concerns: ({ spec }) => spec.touches,
  marks: (notice, { subject, facts }) => {
    const why = subject.recipients.flatMap((contact) => {
      if (!isFirstTo(contact, facts)) return [];
      const origin = own(facts.origins ?? {}, contact);
      if (origin === undefined)
        throw new Error(`where the data of contact ${contact} came from is not among the facts`);
      return neededFor(contact, origin, notice) ?? [];
    })[0];
    if (why === undefined) return [];
    const missing = compiled(notice).filter(({ isIn }) => !readTexts(subject).some(isIn));
    if (missing.length === 0) return [];
    const advice = missing.map(
      ({ part, anyOf }) => `${own(words, part)} (write ${someOf(anyOf, missing.length > 2 ? 1 : 3)})`,
    );
    const names = missing.map(({ part }) => own(words, part)).join(', ');
    return missingFrom(subject, names, `${why} has to say, and does not say: ${advice.join(', ')}`);
  },
  clean: 'a notice of where the data came from is not needed, or complete',
  unset: 'no notice of where the data came from is required',
});

/** Why a person needs the notice; undefined for one who needs none. */
function neededFor(contact: string, origin: OriginFact | null, { fromThePerson }: Notice): string | undefined {
  const { country, sources = [], address } = origin ?? {};
  if (!hasEuropeanRights(country)) return undefined;
  const elsewhere = sources.find(
    (source) => !fromThePerson.some((given) => source === given || source.startsWith(`${given}/`)),
  );
  if (address !== undefined && elsewhere === undefined) return undefined;
  const unknown = sources.length === 0 ? 'data from an unknown source' : 'an address from an unknown source';
  const from = elsewhere === undefined ? unknown : `data from ${clip(elsewhere, 60)}`;
  return `the first message to contact ${contact} with ${from}, ${country === undefined ? 'country unknown' : `in ${clip(country, 20)}`},`;
}
