import { pageAsked } from './page-path.js';

/** Longer than any address of our pages; it has to fit into a cookie. */
const longest = 1_000;

/** Where to go after signing in: a page of this console, the first one for anything else. Whoever made the link chose it, so nothing of it is believed. */
export function nextPage(next: unknown, publicUrl: string): string {
  if (typeof next !== 'string' || next.length > longest || !next.startsWith('/')) return '/';
  const { origin } = new URL(publicUrl);
  const url = URL.parse(next, origin);
  if (url?.origin !== origin || url.pathname.startsWith('//') || url.pathname.startsWith('/sign-in')) return '/';
  const address = `${url.pathname}${url.search}${url.hash}`;
  return pageAsked(url.pathname)?.kind === 'page' && address.length <= longest ? address : '/';
}
