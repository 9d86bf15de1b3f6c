import { type AnyRoute, type AnyRouter, useRouter } from '@tanstack/react-router';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { type Ahead, loadAhead } from './ahead.js';
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

const rest = async (): Promise<void> => {
  await idle();
  while (queries.isFetching() > 0) {
    await new Promise((resolve) => setTimeout(resolve, busyMs));
    await idle();
  }
};

/**
 * First the files of all pages, then the code of each page, which is run once. A page of which a file did not come is not run: its
 * imports would ask for the file on connections of their own.
 */
function codeOfPages({ routesById, loadRouteChunk }: AnyRouter): Ahead {
  let whole = true;
  const loadFile = async (file: string, stopped: AbortSignal): Promise<void> => {
    // An ordinary request can be given up. The browser caches the answer for ever (`immutable`).
    const send = (signal: AbortSignal) => fetch(file, { signal, priority: 'low' });
    try {
      const { body } = await patiently(send, patience, stopped);
      await body?.pipeTo(new WritableStream());
    } catch (error) {
      // After a stop it is asked for again.
      if (!stopped.aborted) whole = false;
      throw error;
    }
  };
  const run = async (route: AnyRoute): Promise<void> => {
    if (whole) await loadRouteChunk(route);
  };
  return loadAhead<string | AnyRoute>([...files, ...Object.values<AnyRoute>(routesById)], {
    load: (piece, stopped) => (typeof piece === 'string' ? loadFile(piece, stopped) : run(piece)),
    rest,
  });
}

/** Not every browser has it. */
type Network = EventTarget & { readonly saveData: boolean };
const network = (navigator as { readonly connection?: Network }).connection;
const hearNetwork = (hear: () => void): (() => void) => {
  network?.addEventListener('change', hear);
  return () => network?.removeEventListener('change', hear);
};
const savesData = (): boolean => network?.saveData ?? false;

/**
 * Loads and runs the code of all pages after the first view, so that a page opens without waiting for its code. Only while the stream of
 * changes is connected: after a loss every request more takes a connection that the stream may need. Not if the person saves data.
 */
export function useCodeOfPages({ connected, at }: Live): void {
  const router = useRouter();
  const [code] = useState(() => codeOfPages(router));
  const saves = useSyncExternalStore(hearNetwork, savesData);
  const wanted = connected && at !== undefined && !saves;
  useEffect(() => {
    if (!wanted) return;
    code.go();
    return code.stop;
  }, [wanted, code]);
}
