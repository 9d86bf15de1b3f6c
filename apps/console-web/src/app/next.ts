/** Where to go after signing in: a path of this origin, the first page for anything else. */
export function nextPath(next: string | undefined, origin: string): string {
  if (next === undefined) return '/';
  const url = URL.parse(next, origin);
  if (!next.startsWith('/') || url?.origin !== origin || url.pathname.startsWith('//')) return '/';
  return url.pathname.startsWith('/sign-in') ? '/' : `${url.pathname}${url.search}${url.hash}`;
}
