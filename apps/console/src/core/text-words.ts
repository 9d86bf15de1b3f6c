import { type NoticePart, noticeParts, own, type TextRules } from '@countersign/contracts';
import { kindWords, list } from './kind-words.js';

/** What texts may say, in plain words. A new setting about texts does not compile until it has its words here. */
export const textLines = (texts: TextRules): readonly string[] =>
  Object.values(lines).flatMap((linesOf) => linesOf(texts));

const quoted = (phrases: readonly string[], joined: 'and' | 'or' = 'or'): string =>
  list(
    phrases.map((phrase) => `“${phrase}”`),
    joined,
  );

const parts: Readonly<Record<NoticePart, string>> = {
  senderIdentity: 'who sends it',
  purpose: 'what the data is used for',
  legalBasis: 'the legal basis',
  dataSource: 'where the data came from',
  retention: 'how long the data is stored',
  rights: 'the rights of the person',
  postalAddress: 'a postal address',
  wayOut: 'a way out',
};

const lines: { readonly [member in keyof TextRules]-?: (texts: TextRules) => readonly string[] } = {
  bannedTerms: ({ bannedTerms = [] }) =>
    bannedTerms.length === 0 ? [] : [`A text with ${quoted(bannedTerms)} is refused.`],
  linkHosts: ({ linkHosts }) => {
    if (linkHosts === undefined) return [];
    return [linkHosts.length === 0 ? 'No text may have a link.' : `Links may go only to ${list(linkHosts, 'or')}.`];
  },
  requiredElements: ({ requiredElements = [] }) =>
    requiredElements.map(
      ({ element, kinds, firstMessageOnly, anyOf }) =>
        `To ${list(kinds.map(kindWords), 'or')}, ${firstMessageOnly ? 'the first message to a person' : 'the text'} must have: ${element} (${quoted(anyOf)}).`,
    ),
  dataNotice: ({ dataNotice }) =>
    dataNotice === undefined
      ? []
      : [
          `The first message to a person whose data did not come from ${dataNotice.fromThePerson.length === 0 ? 'the person' : list(dataNotice.fromThePerson, 'or')}, and who is or may be in the EU, the EEA or the United Kingdom, must have a notice.`,
          ...noticeParts.map((part) => `The notice says ${own(parts, part)}: ${quoted(own(dataNotice, part) ?? [])}.`),
        ],
  placeholdersMustFill: ({ placeholdersMustFill }) =>
    placeholdersMustFill === undefined
      ? []
      : [
          placeholdersMustFill
            ? 'A text with a placeholder that cannot be filled in is refused.'
            : 'A placeholder that cannot be filled in is found only when the message is written.',
        ],
  personalData: ({ personalData }) =>
    personalData === undefined
      ? []
      : [
          `A text with an address, a telephone number or an id of a person ${personalData.verdict === 'refuse' ? 'is refused' : 'needs a person'}${personalData.ours.length === 0 ? '' : `, except for ${list(personalData.ours, 'and')}`}.`,
        ],
  claims: ({ claims = [] }) =>
    claims.map(({ claim, evidence }) =>
      evidence.length === 0
        ? `The claim “${claim}” needs a person, because no evidence of it is approved.`
        : `The claim “${claim}” needs a person, unless the text cites ${quoted(evidence)}.`,
    ),
};
