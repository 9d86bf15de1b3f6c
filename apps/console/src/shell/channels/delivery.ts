/** The result of a try to send. `words` never quotes an address, a credential or an answer of the other side. */
export type Delivery =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'later'; readonly words: string; readonly askedMs?: number }
  | { readonly outcome: 'refused'; readonly words: string };

/** The code of an error, or its name: its message may quote the data that was to be sent, or its recipient. */
export function codeOf(error: unknown): string {
  const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: { code?: unknown } };
  const found = [code, cause?.code, name].find((word) => typeof word === 'string') as string | undefined;
  return /^[\w-]{1,60}$/.test(found ?? '') ? (found as string) : 'unknown';
}
