/** Addresses that belong to no page, also with more behind them. So do addresses that lead upwards or to a hidden file. */
const others = /^\/(v1|health|openapi[^/]*)(\/|$)/;

/**
 * What an address of the pages asks for: the page itself, which chooses its content in the browser; one of its files; or nothing.
 */
export function pageAsked(
  path: string,
): { readonly kind: 'page' } | { readonly kind: 'file'; readonly file: string; readonly forEver: boolean } | undefined {
  if (others.test(path) || /(^|[/\\])\.|\0/.test(path)) return undefined;
  if (path === '/' || path === '/index.html') return { kind: 'page' };
  const last = path.slice(path.lastIndexOf('/') + 1);
  if (!last.includes('.')) return { kind: 'page' };
  // Vite puts a digest of the content into these names.
  return { kind: 'file', file: path.slice(1), forEver: /^\/assets\/[^/]*-[\w-]{8}\.[\w.]+$/.test(path) };
}
