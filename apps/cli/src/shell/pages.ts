import type { Session } from '@countersign/client';
import { Misused } from '@countersign/client/core';

/** The most rows that the console gives in one answer. */
export const mostRows = 500;

/**
 * At most `most` rows of a list of the console, read page by page in its order. If there are more, `next` continues after the last row.
 * `path` may have a query, but no limit. `from` is the `next` of an earlier call. Reading ends after a page that is `enough`.
 */
export async function rowsOf<T>(
  s: Session,
  path: string,
  member: string,
  most = Number.POSITIVE_INFINITY,
  from: string | null = null,
  enough: (page: readonly T[]) => boolean = () => false,
): Promise<{ readonly rows: readonly T[]; readonly next: string | null }> {
  const rows: T[] = [];
  for (let place = from; ; ) {
    // Never requests more than is needed: the rest of a page would be neither in the rows nor after `next`.
    const limit = Math.min(most - rows.length, mostRows);
    const behind = place === null ? '' : `&cursor=${encodeURIComponent(place)}`;
    const page = [path, path.includes('?') ? '&' : '?', `limit=${limit}`, behind].join('');
    const answer = await s.console.get<{ readonly next?: string | null } & Record<string, unknown>>(page);
    const found = answer[member] as readonly T[];
    rows.push(...found);
    const { next = null } = answer;
    if (next === null || rows.length >= most || enough(found)) return { rows, next };
    place = next;
  }
}

/** The number that `--limit` gives. */
export function mostOf(limit: string): number {
  const most = Number(limit);
  if (!Number.isSafeInteger(most) || most < 1) throw new Misused(`--limit ${limit}: a number is expected`);
  return most;
}
