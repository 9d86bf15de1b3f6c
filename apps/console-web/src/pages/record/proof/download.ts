import { lineCutter, NotAnExport } from './export-lines.js';
import { keyOf, type RecordPlace, textOf } from './record.js';
import { WholeCheck, type WholeReport } from './whole.js';

/** What to download, and where its bytes go in addition to the check. */
export interface Wanted {
  readonly record: RecordPlace;
  /** The secret of the pass. Only the page that asked for the pass has it. */
  readonly secret: string;
  /** Checkpoints that the console has seen. */
  readonly seenNotes: readonly string[];
}
export interface Progress {
  readonly entries: number;
  /** The number of entries that the export has at least; undefined until its first line has arrived. */
  readonly total: number | undefined;
  readonly bytes: number;
}
/** Why there is no result, as text for the reader. */
export class NotDownloaded extends Error {
  override readonly name = 'NotDownloaded';
  constructor(
    readonly title: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** The record knows a pass only after it has read the request for it from Kafka. */
const passWaitMs = 20_000;
const againMs = 250;
/** The number of lines that are hashed at the same time. */
const linesAtOnce = 500;

/** Asks for the export again until the record knows the pass. */
async function begin(address: string, secret: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const until = performance.now() + passWaitMs;
  for (;;) {
    const response = await answer(address, secret);
    if (response.ok && response.body) return response.body;
    const { title, detail } = await problemOf(response);
    if (response.status !== 401 || performance.now() > until)
      throw response.status === 401
        ? new NotDownloaded(
            'The record does not know this request yet',
            `It has not read the request within ${passWaitMs / 1_000} s. See on the page Now whether audit-recorder runs, then try again.`,
          )
        : new NotDownloaded(title, detail);
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}
async function answer(address: string, secret: string): Promise<Response> {
  try {
    const headers = { authorization: `Bearer ${secret}` };
    return await fetch(address, { headers, credentials: 'omit', cache: 'no-store', redirect: 'error' });
  } catch {
    throw new NotDownloaded(
      'The record does not answer this browser',
      `${new URL(address).origin} is not reachable from here, or its RECORD_READERS does not name this console. Nothing was read.`,
    );
  }
}
async function problemOf(response: Response): Promise<{ title: string; detail: string }> {
  try {
    const { title, detail } = JSON.parse(await textOf(response)) as { title?: unknown; detail?: unknown };
    if (typeof title === 'string' && typeof detail === 'string') return { title, detail };
  } catch {
    // The status of the answer already says it.
  }
  return { title: 'The record did not give its export', detail: `It answered with status ${response.status}.` };
}

/**
 * Downloads the whole record and verifies it as it arrives. `store` receives each piece as it was sent. Memory does not grow with
 * the record. Throws `NotDownloaded` if there is no result.
 */
export async function downloadAndVerify(
  { record, secret, seenNotes }: Wanted,
  store: (piece: Uint8Array<ArrayBuffer>) => Promise<void>,
  onProgress: (progress: Progress) => void,
): Promise<WholeReport> {
  const key = await keyOf(record);
  if (typeof key === 'string') throw new NotDownloaded('This browser cannot verify', key);
  const reader = (await begin(`${record.url}/v1/passes/export`, secret)).getReader();
  const check = new WholeCheck(key, seenNotes);
  const cutter = lineCutter();
  let bytes = 0;
  const take = async (lines: readonly string[]) => {
    for (let at = 0; at < lines.length; at += linesAtOnce) {
      await check.take(lines.slice(at, at + linesAtOnce));
      onProgress({ entries: check.entries, total: check.announced, bytes });
    }
  };
  const next = async () => {
    try {
      return await reader.read();
    } catch {
      throw new NotDownloaded(
        'The download broke off',
        `It ended after ${check.entries} entries, so nothing is known of the rest. Try again; for a long record over a slow line, use the command.`,
      );
    }
  };
  try {
    for (let piece = await next(); !piece.done; piece = await next()) {
      bytes += piece.value.length;
      await store(piece.value);
      await take(cutter.cut(piece.value));
    }
    await take(cutter.end());
    return await check.end();
  } catch (error) {
    void reader.cancel().catch(() => undefined);
    if (error instanceof NotAnExport)
      throw new NotDownloaded(
        'This is not a record',
        `What came is no export of a record: ${error.message}. Keep the database as it is, run countersign verify, and tell an auditor.`,
      );
    throw error;
  }
}
