/** The placeholders that a message's text may have. Only an executor fills them in, so only there a text meets the data of a person. */
export const placeholderNames = ['contact.firstName', 'contact.lastName', 'account.name'] as const;
export type PlaceholderName = (typeof placeholderNames)[number];

/** Everything that looks like a placeholder: any number of braces, and the names themselves. */
const candidates = new RegExp(
  String.raw`\{+[^{}\n]{0,80}\}+|\{\{|\}\}|\b(?:${placeholderNames.map((name) => name.replace('.', String.raw`\.`)).join('|')})\b`,
  'gi',
);
const whole: ReadonlySet<string> = new Set(placeholderNames.map((name) => `{{${name}}}`));

/** The first placeholder of a text, or what looks like one, that cannot be filled in. */
export const placeholderFault = (text: string): string | undefined =>
  [...text.matchAll(candidates)].map(([found]) => found).find((found) => !whole.has(found));

/** A text with its placeholders as people read them: `{{contact.firstName}}` is `[contact first name]`. */
export const placeholdersInWords = (text: string): string =>
  placeholderNames.reduce(
    (read, name) =>
      read.replaceAll(
        `{{${name}}}`,
        `[${name.replace('.', ' ').replace(/([a-z])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`)}]`,
      ),
    text,
  );
