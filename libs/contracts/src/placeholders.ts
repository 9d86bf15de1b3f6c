/** The placeholders that a message's text may have. Only an executor fills them in, so only there a text meets the data of a person. */
export const placeholderNames = ['contact.firstName', 'contact.lastName', 'account.name'] as const;
export type PlaceholderName = (typeof placeholderNames)[number];

/** Everything that looks like a placeholder: any number of braces, and the names themselves. */
const candidates = new RegExp(
  String.raw`\{{1,4}[^{}\n]{0,80}\}{1,4}|\{\{|\}\}|\b(?:${placeholderNames.map((name) => name.replace('.', String.raw`\.`)).join('|')})\b`,
  'gi',
);
const whole: ReadonlySet<string> = new Set(placeholderNames.map((name) => `{{${name}}}`));

/** The placeholders of a text, or what looks like one, that cannot be filled in, with their places. `fillable`: whether any can. */
export const placeholderFaults = (
  text: string,
  fillable = true,
): readonly { readonly found: string; readonly index: number }[] =>
  [...text.matchAll(candidates)].flatMap(({ 0: found, index }) =>
    fillable && whole.has(found) ? [] : [{ found, index }],
  );

/** The first placeholder of a text, or what looks like one, that cannot be filled in. */
export const placeholderFault = (text: string): string | undefined => placeholderFaults(text)[0]?.found;

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
