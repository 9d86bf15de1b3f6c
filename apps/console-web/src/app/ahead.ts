import { queries } from './queries.js';

/** What may be loaded before anybody asks for it. */
interface Code {
  readonly preload?: () => Promise<unknown>;
}

const idle = (then: () => void): unknown =>
  // Safari has it only behind a setting.
  'requestIdleCallback' in window ? window.requestIdleCallback(then) : setTimeout(then, 500);

/**
 * Loads the code of the other pages, one after another, while nothing else is to do: so a page opens without waiting for its code.
 * Not for somebody who asked their browser to save data.
 */
export function loadAhead(pages: readonly Code[]): void {
  const { connection } = navigator as { readonly connection?: { readonly saveData?: boolean } };
  if (connection?.saveData) return;
  const [next, ...others] = pages;
  if (!next) return;
  idle(() => {
    // What the page itself waits for goes first.
    if (queries.isFetching() > 0) setTimeout(() => loadAhead(pages), 200);
    // What cannot be loaded now is loaded when it is asked for, and says then what is wrong.
    else
      void Promise.resolve(next.preload?.())
        .catch(() => undefined)
        .then(() => loadAhead(others));
  });
}
