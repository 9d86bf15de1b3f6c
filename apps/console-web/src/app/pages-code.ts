import { useEffect, useSyncExternalStore } from 'react';
import { loadAhead } from './ahead.js';
import type { Live } from './lines.js';
import { patiently } from './patience.js';
import { queries } from './queries.js';

/** The files with the code of all pages. The build writes their names into the page (`vite.config.ts`). */
const files = document.querySelector<HTMLMetaElement>('meta[name="code-of-pages"]')?.content.split(' ') ?? [];

const idle = (): Promise<unknown> =>
  new Promise((resolve) =>
    // Safari has `requestIdleCallback` only behind a setting.
    'requestIdleCallback' in window ? window.requestIdleCallback(resolve) : setTimeout(resolve, 200),
  );
const busyMs = 200;
/** A file that nobody waits for may take long on a slow connection. */
const patience = { wordMs: 20_000, wholeMs: 120_000 };

const codeOfPages = loadAhead(files, {
  // An ordinary request can be given up. The browser caches the answer for ever (`immutable`), and runs the code only when a page is
  // opened.
  load: async (file, stopped) => {
    const send = (signal: AbortSignal) => fetch(file, { signal, priority: 'low' });
    const { body } = await patiently(send, patience, stopped);
    await body?.pipeTo(new WritableStream());
  },
  rest: async () => {
    await idle();
    while (queries.isFetching() > 0) {
      await new Promise((resolve) => setTimeout(resolve, busyMs));
      await idle();
    }
  },
});

/** Not every browser has it. */
type Network = EventTarget & { readonly saveData: boolean };
const network = (navigator as { readonly connection?: Network }).connection;
const hearNetwork = (hear: () => void): (() => void) => {
  network?.addEventListener('change', hear);
  return () => network?.removeEventListener('change', hear);
};
const savesData = (): boolean => network?.saveData ?? false;

/**
 * Loads the code of all pages into the browser's cache after the first view, so that a page opens without waiting for its code. Only
 * while the stream of changes is connected: after a loss every request more takes a connection that the stream may need. Not if the
 * person saves data.
 */
export function useCodeOfPages({ connected, at }: Live): void {
  const saves = useSyncExternalStore(hearNetwork, savesData);
  const wanted = connected && at !== undefined && !saves;
  useEffect(() => {
    if (!wanted) return;
    codeOfPages.go();
    return codeOfPages.stop;
  }, [wanted]);
}
