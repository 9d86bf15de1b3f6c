const key = 'way-back';

/* A one-time link is opened beside the page that asked for it, and knows nothing of it: where its visitor wanted to go stays in the tab. */

export function keepWayBack(next: string): void {
  try {
    window.sessionStorage.setItem(key, next);
  } catch {
    // Then it leads to the first page.
  }
}

/** Where this tab wanted to go; known once. */
export function takeWayBack(): string | undefined {
  try {
    const next = window.sessionStorage.getItem(key) ?? undefined;
    window.sessionStorage.removeItem(key);
    return next;
  } catch {
    return undefined;
  }
}
