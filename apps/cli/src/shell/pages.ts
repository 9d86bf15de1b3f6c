import type { Session } from '@countersign/client';

/**
 * The rows of a list of the console, page after page as it gives them, at most `most`; `next` where there are more. `path` may have
 * a query.
 */
export async function rowsOf<T>(
  s: Session,
  path: string,
  member: string,
  most = Number.POSITIVE_INFINITY,
): Promise<{ readonly rows: readonly T[]; readonly next: string | null }> {
  const rows: T[] = [];
  let page = path;
  for (;;) {
    const answer = await s.console.get<{ readonly next?: string | null } & Record<string, unknown>>(page);
    rows.push(...(answer[member] as readonly T[]));
    const { next = null } = answer;
    if (next === null || rows.length >= most) return { rows: rows.slice(0, most), next };
    page = `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(next)}`;
  }
}
