import type { Session } from '@countersign/client';
import { Misused } from '@countersign/client/core';

/** As many rows as the console gives in one answer. */
export const mostRows = 500;

/**
 * The rows of a list of the console, page after page as it gives them, at most `most`; where there are more, `next` goes on behind
 * the last of them. `path` may have a query, without a limit. `from`: the `next` of a list before. It ends behind a page that is
 * `enough`.
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
    // Never more than is wanted: what is left of a page would be neither in the rows nor behind `next`.
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

/** The number of `--limit`. */
export function mostOf(limit: string): number {
  const most = Number(limit);
  if (!Number.isSafeInteger(most) || most < 1) throw new Misused(`--limit ${limit}: a number is expected`);
  return most;
}
