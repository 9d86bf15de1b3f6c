/** Addresses that are no page's, whatever follows; beside them whatever leads upwards or to a hidden file. */
const others = /^\/(v1|health|openapi[^/]*)(\/|$)/;

/** What an address of the pages asks for: the page itself, which finds its way in the browser, one of its files, or nothing of them. */
export function pageAsked(
  path: string,
): { readonly kind: 'page' } | { readonly kind: 'file'; readonly file: string; readonly forEver: boolean } | undefined {
  if (others.test(path) || /(^|[/\\])\.|\0/.test(path)) return undefined;
  if (path === '/' || path === '/index.html') return { kind: 'page' };
  const last = path.slice(path.lastIndexOf('/') + 1);
  if (!last.includes('.')) return { kind: 'page' };
  // Vite names these by a digest of what they hold.
  return { kind: 'file', file: path.slice(1), forEver: /^\/assets\/[^/]*-[\w-]{8}\.[\w.]+$/.test(path) };
}
