import type { Session } from '@countersign/client';

/** The id that begins with the given text, as the console finds it. A whole id is taken as it is. */
export async function wholeId(
  s: Session,
  kind: 'dead-letter' | 'review' | 'permit' | 'run',
  given: string,
): Promise<string> {
  if (given.length >= 36) return given;
  const { id } = await s.console.get<{ id: string }>(`/v1/ids?${new URLSearchParams({ kind, begins: given })}`);
  return id;
}
