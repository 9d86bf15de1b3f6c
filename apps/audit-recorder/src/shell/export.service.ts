import { Readable } from 'node:stream';
import { exportCheckpoint, exportHeader, exportLeaf } from '@countersign/record';
import { RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable, StreamableFile } from '@nestjs/common';
import { beforeAll, lastCheckpoint, type Reader, readEntries, readHead } from './log.repository.js';
import { SETTINGS, type Settings } from './settings.js';

/** The whole record as lines, in the form that `readExport` of the record's library reads. */
@Injectable()
export class Export {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Begins an export for the caller. Throws if the caller has an export under way. Calls `may` once the export has its place. */
  async begin(may: () => Promise<void> = async () => undefined): Promise<StreamableFile> {
    const { origin, signingKey } = this.settings;
    const reads = this.runtime.beginExport();
    await may();
    const read: Reader = (sql, params) => reads.query(sql, params);
    const last = await lastCheckpoint(read);
    // Read after the last checkpoint: the head that the checkpoint signs is within these leaves.
    const { size } = await readHead(read);
    const lines = async function* () {
      yield `${exportHeader({ origin, key: signingKey, checkpoint: last?.note ?? null })}\n`;
      for await (const page of readEntries(read, size, last?.size ?? beforeAll)) {
        const lines = 'notes' in page ? page.notes.map(exportCheckpoint) : page.leaves.map(exportLeaf);
        yield lines.map((line) => `${line}\n`).join('');
      }
    };
    return new StreamableFile(Readable.from(lines(), { objectMode: false }), { type: 'application/x-ndjson' });
  }
}
