import { z } from 'zod';
import { listOf } from './at-most.js';
import { actionKindNames } from './catalogue.js';
import { Text } from './primitives.js';

/**
 * Words that a text has, or must have. They are compared as they are written, never as patterns. Upper and lower case, the kind and
 * number of spaces, invisible characters and letters that look alike do not matter. A match begins and ends with a whole word; `*`
 * at the end of a phrase lets the last word go on.
 */
const Phrase = Text(200);
const anyOf = listOf(Phrase, 50, 1);

/** The eight parts of a notice to a person whose data came from elsewhere: GDPR Art. 14, and the way out of Art. 21. */
export const noticeParts = [
  'senderIdentity',
  'purpose',
  'legalBasis',
  'dataSource',
  'retention',
  'rights',
  'postalAddress',
  'wayOut',
] as const;
export type NoticePart = (typeof noticeParts)[number];

/** What texts may say. Every setting is optional; without it, its rule is off. */
export const TextRules = z.strictObject({
  /** A text with one of these is refused. */
  bannedTerms: listOf(Phrase, 1000).optional(),
  /**
   * The only hosts to which a link may go: `example.com`, `*.example.com` for its subdomains, `example.com:8443` for a port. An empty
   * list allows no link.
   */
  linkHosts: listOf(Text(300), 1000).optional(),
  /** What a text must have: at least one of the phrases of each element. */
  requiredElements: listOf(
    z.strictObject({
      element: Text(80),
      kinds: listOf(z.enum(actionKindNames), 100, 1),
      /** Only in the first message to a person. */
      firstMessageOnly: z.boolean().optional(),
      anyOf,
    }),
    100,
  ).optional(),
  /**
   * The notice in the first message to a person whose data came from elsewhere and who is, or may be, in the EU, the EEA or the
   * United Kingdom.
   */
  dataNotice: z
    .strictObject({
      /** Sources whose data a person gave themselves, by their CloudEvents `source`. */
      fromThePerson: listOf(Text(200), 200),
      senderIdentity: anyOf,
      purpose: anyOf,
      legalBasis: anyOf,
      dataSource: anyOf,
      retention: anyOf,
      rights: anyOf,
      postalAddress: anyOf,
      wayOut: anyOf,
    } satisfies Record<NoticePart | 'fromThePerson', z.ZodType>)
    .optional(),
  /** Whether a text with a placeholder that the executor cannot fill in is refused. */
  placeholdersMustFill: z.boolean().optional(),
  /** Addresses, telephone numbers and ids of people in a text, outside of placeholders. */
  personalData: z
    .strictObject({
      verdict: z.enum(['refuse', 'escalate']),
      /** Addresses, domains (`@example.com`) and telephone numbers of our own. */
      ours: listOf(Text(200), 500),
    })
    .optional(),
  /** Claims that need evidence. A text that makes one cites a piece of its approved evidence, or a person answers for it. */
  claims: listOf(z.strictObject({ claim: Phrase, evidence: listOf(Phrase, 50) }), 1000).optional(),
});
export type TextRules = z.infer<typeof TextRules>;
