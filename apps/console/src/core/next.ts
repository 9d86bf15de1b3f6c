import { pageAsked } from './page-path.js';

/** Longer than any address of our pages. It has to fit into a cookie. */
const longest = 1_000;

/**
 * The page after signing in: a page of this console, or the first page for any other address. The author of the link chose the
 * address, so it is not trusted.
 */
export function nextPage(next: unknown, publicUrl: string): string {
  if (typeof next !== 'string' || next.length > longest || !next.startsWith('/')) return '/';
  const { origin } = new URL(publicUrl);
  const url = URL.parse(next, origin);
  if (url?.origin !== origin || url.pathname.startsWith('//') || url.pathname.startsWith('/sign-in')) return '/';
  const address = `${url.pathname}${url.search}${url.hash}`;
  return pageAsked(url.pathname)?.kind === 'page' && address.length <= longest ? address : '/';
}
