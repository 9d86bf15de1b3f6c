import { own, type PlacedText, type TextRules } from '@countersign/contracts';
import { type Mark, markOf, someOf } from '../content/marks.js';
import { phrasesOf } from '../content/phrases.js';
import { textRule } from '../content/text-rule.js';
import { foldedOf, perSetting, perText } from '../content/texts.js';
import type { Context } from '../rule.js';
import type { Subject } from '../subject.js';

type Elements = NonNullable<TextRules['requiredElements']>;

const compiled = perSetting((elements: Elements) =>
  elements.map((required) => ({ ...required, isIn: hasAnyOf(required.anyOf) })),
);

/** A text has what its kind must have: at least one phrase of each element. */
export const requiredElements = textRule({
  name: 'required-elements',
  setting: 'requiredElements',
  marks: (elements, context) =>
    compiled(elements).flatMap(({ element, kinds, firstMessageOnly, anyOf, isIn }) => {
      const { subject } = context;
      if (!kinds.includes(subject.kind)) return [];
      if (firstMessageOnly && !isFirstMessage(context)) return [];
      if (readTexts(subject).some(isIn)) return [];
      return missingFrom(subject, element, `it has no ${element}: write ${someOf(anyOf)} into it`);
    }),
  clean: 'every element that is required is there',
  unset: 'no element is required',
});

/** The texts that people read, without the targets of links. */
export const readTexts = ({ texts }: Subject): Subject['texts'] => texts.filter(({ role }) => role === 'text');

/** Whether a text has one of these phrases. */
export function hasAnyOf(anyOf: readonly string[]): (text: PlacedText) => boolean {
  const phrases = phrasesOf(anyOf);
  return perText((text) => phrases.has(foldedOf(text)));
}

/** A mark at the end of the last text, where something has to be added. */
export function missingFrom(subject: Subject, missing: string, detail: string): readonly Mark[] {
  const text = readTexts(subject).at(-1);
  const end = text?.text.length ?? 0;
  return text ? [markOf(text, [end, end], { outcome: 'refuse', detail, marked: `without: ${missing}` })] : [];
}

/** Whether somebody among the recipients was never touched, as far as is known. */
export const isFirstMessage = ({ subject, facts }: Context): boolean =>
  subject.recipients.some((contact) => isFirstTo(contact, facts));

export function isFirstTo(contact: string, facts: Context['facts']): boolean {
  const profile = own(facts.contacts, contact);
  return !(profile?.touched || profile?.firstTouchedAt !== undefined);
}
