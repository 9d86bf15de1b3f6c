import { read, write } from './shelf.js';

const key = 'way-back';
const tab = () => window.sessionStorage;

/*
 * A one-time link opens in another tab than the page that asked for it, and knows nothing of that page. So the tab stores the page
 * that its visitor wanted to open.
 */

/** In a browser that stores nothing, signing in leads to the first page. */
export const storeWayBack = (next: string): void => write(tab, key, next);

/** The page that this tab wanted to open. It can be read once. */
export function takeWayBack(): string | undefined {
  const next = read(tab, key) ?? undefined;
  write(tab, key, null);
  return next;
}
