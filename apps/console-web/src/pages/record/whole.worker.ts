import { downloadAndVerify, NotDownloaded, type Progress, type Wanted } from './proof/download.js';
import type { WholeReport } from './proof/whole.js';

/**
 * Where the bytes of an export go: nowhere, into a file that its reader chose, or into a download that the page offers when it is
 * complete.
 */
export type Target = 'nothing' | 'here' | FileSystemFileHandle;
export interface Order {
  readonly wanted: Wanted;
  readonly target: Target;
}
export type Outcome =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | {
      readonly kind: 'done';
      readonly report: WholeReport;
      readonly bytes: number;
      readonly file: Blob | 'written' | 'too-large' | null;
    }
  | { readonly kind: 'failed'; readonly title: string; readonly detail: string };

/** The most that a page can reasonably hold. A browser that can write files holds none of it. */
const mostHeld = 268_435_456;
/** The parts go to the browser in blobs of this size. The browser may put them on disk. */
const partBytes = 8_388_608;
const reportEveryMs = 150;

const page = self as unknown as { postMessage(outcome: Outcome): void };

interface Destination {
  store(piece: Uint8Array<ArrayBuffer>): Promise<void>;
  end(): Promise<Blob | 'written' | 'too-large' | null>;
  abort(): Promise<void>;
}

async function place(target: Target): Promise<Destination> {
  if (target === 'nothing')
    return { store: async () => undefined, end: async () => null, abort: async () => undefined };
  if (target === 'here') return held();
  const file = await target.createWritable();
  return {
    store: (piece) => file.write(piece),
    end: async () => {
      await file.close();
      return 'written';
    },
    abort: () => file.abort(),
  };
}

function held(): Destination {
  let blobs: Blob[] = [];
  let part: Uint8Array<ArrayBuffer>[] = [];
  let inPart = 0;
  let all = 0;
  return {
    async store(piece) {
      all += piece.length;
      if (all > mostHeld) {
        blobs = [];
        part = [];
        return;
      }
      part.push(piece);
      inPart += piece.length;
      if (inPart < partBytes) return;
      blobs.push(new Blob(part));
      part = [];
      inPart = 0;
    },
    end: async () => (all > mostHeld ? 'too-large' : new Blob([...blobs, ...part], { type: 'application/x-ndjson' })),
    abort: async () => undefined,
  };
}

async function run({ wanted, target }: Order): Promise<void> {
  let bytes = 0;
  let sentAt = Number.NEGATIVE_INFINITY;
  let open: Destination | undefined;
  try {
    const destination = await place(target);
    open = destination;
    const report = await downloadAndVerify(
      wanted,
      async (piece) => {
        bytes += piece.length;
        await destination.store(piece);
      },
      (progress) => {
        const at = performance.now();
        if (at - sentAt < reportEveryMs) return;
        sentAt = at;
        page.postMessage({ kind: 'progress', progress });
      },
    );
    page.postMessage({ kind: 'done', report, bytes, file: await destination.end() });
  } catch (error) {
    await open?.abort().catch(() => undefined);
    const known = error instanceof NotDownloaded;
    page.postMessage({
      kind: 'failed',
      title: known ? error.title : 'This browser could not finish',
      detail: known
        ? error.message
        : `${error instanceof Error ? error.message : 'an unknown fault'}. Try again, or use countersign export.`,
    });
  }
}

self.addEventListener('message', ({ data }: MessageEvent<Order>) => void run(data));
