import type { Session } from '@countersign/client';
import { longestLook } from '@countersign/contracts';

/**
 * Whether to go on with what is shown. On a terminal a person says so, and `lookedMs` is how long they had it in sight. Elsewhere, and
 * with --yes, nobody is asked, and nobody knows whether a person looked.
 */
export async function confirmed(
  { interactive, confirm }: Pick<Session, 'interactive' | 'confirm'>,
  question: string,
  yes = false,
): Promise<false | { readonly lookedMs?: number }> {
  if (!interactive || yes) return {};
  const shownAt = performance.now();
  if (!(await confirm(question))) return false;
  return { lookedMs: Math.min(Math.round(performance.now() - shownAt), longestLook) };
}
