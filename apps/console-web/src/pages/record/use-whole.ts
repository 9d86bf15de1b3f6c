import { useCallback, useEffect, useRef, useState } from 'react';
import type { Progress, Wanted } from './proof/download.js';
import type { Compared } from './spread.js';
import type { Order, Outcome, Target } from './whole.worker.js';

/** The state of the reading of the whole record. */
export type Standing =
  | { readonly state: 'idle' }
  | { readonly state: 'running'; readonly progress: Progress | undefined }
  | { readonly state: 'done'; readonly outcome: Extract<Outcome, { kind: 'done' }>; readonly compared: Compared }
  | { readonly state: 'failed'; readonly title: string; readonly detail: string };

/** Without these, the check would accept a record that was rebuilt and signed again. */
const nothingToCompare: Standing = {
  state: 'failed',
  title: 'The check did not start',
  detail:
    'This console did not give the checkpoints that it has kept, and the check compares the record with them. Nothing was read. Load the page again, then try again.',
};

/** Reads and verifies the whole record in the background, while the page stays usable. It ends when the person leaves the page. */
export function useWhole() {
  const [standing, setStanding] = useState<Standing>({ state: 'idle' });
  const worker = useRef<Worker>(null);
  const stop = useCallback(() => {
    worker.current?.terminate();
    worker.current = null;
  }, []);
  useEffect(() => stop, [stop]);
  const begin = useCallback(
    (wanted: Omit<Wanted, 'seenNotes'>, target: Target, compare: () => Promise<Compared>) => {
      stop();
      setStanding({ state: 'running', progress: undefined });
      const own = new Worker(new URL('./whole.worker.ts', import.meta.url), { type: 'module' });
      worker.current = own;
      const end = (ended: Standing) => {
        stop();
        setStanding(ended);
      };
      const start = (compared: Compared) => {
        // The person stopped it in the meantime, so nothing more is wanted.
        if (worker.current !== own) return;
        if (compared.notes.length === 0) return end(nothingToCompare);
        own.onmessage = ({ data: outcome }: MessageEvent<Outcome>) => {
          if (outcome.kind === 'progress') setStanding({ state: 'running', progress: outcome.progress });
          else if (outcome.kind === 'done') end({ state: 'done', outcome, compared });
          else end({ state: 'failed', title: outcome.title, detail: outcome.detail });
        };
        own.postMessage({ wanted: { ...wanted, seenNotes: compared.notes }, target } satisfies Order);
      };
      own.onerror = () =>
        end({
          state: 'failed',
          title: 'This browser could not begin',
          detail: 'The part of the page that verifies did not start. Load the page again, or use countersign verify.',
        });
      compare().then(start, () => {
        if (worker.current === own) end(nothingToCompare);
      });
    },
    [stop],
  );
  return {
    standing,
    begin,
    cancel: () => {
      stop();
      setStanding({ state: 'idle' });
    },
  };
}
