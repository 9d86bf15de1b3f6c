/** What a message's text may stand in for; an executor fills it in, and only there a text meets a person. */
export const placeholderNames = ['contact.firstName', 'contact.lastName', 'account.name'] as const;
export type PlaceholderName = (typeof placeholderNames)[number];

/** The first placeholder of a text, or half of one, that nobody can fill in. */
export function placeholderFault(text: string): { readonly at: number; readonly found: string } | undefined {
  for (const { 0: found, 1: name, index: at } of text.matchAll(
    /\{\{([^{}]{0,80})\}\}|\{\{|\}\}|\{[a-z]+\.[a-zA-Z]+\}/g,
  ))
    if (!(placeholderNames as readonly (string | undefined)[]).includes(name)) return { at, found };
  return undefined;
}
