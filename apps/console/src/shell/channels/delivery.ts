/** What came of a try to send. `words` never quote an address, a credential or what the other side said. */
export type Delivery =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'later'; readonly words: string; readonly askedMs?: number }
  | { readonly outcome: 'refused'; readonly words: string };

/** The code of an error, or its name: its message may quote what was to be sent, or to whom. */
export function codeOf(error: unknown): string {
  const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: { code?: unknown } };
  const found = [code, cause?.code, name].find((word) => typeof word === 'string') as string | undefined;
  return /^[\w-]{1,60}$/.test(found ?? '') ? (found as string) : 'unknown';
}
