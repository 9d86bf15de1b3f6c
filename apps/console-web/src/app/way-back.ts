import { read, write } from './shelf.js';

const key = 'way-back';
const tab = () => window.sessionStorage;

/* A one-time link is opened beside the page that asked for it, and knows nothing of it: where its visitor wanted to go stays in the tab. */

/** In a browser that keeps nothing, signing in leads to the first page. */
export const storeWayBack = (next: string): void => write(tab, key, next);

/** Where this tab wanted to go; known once. */
export function takeWayBack(): string | undefined {
  const next = read(tab, key) ?? undefined;
  write(tab, key, null);
  return next;
}
