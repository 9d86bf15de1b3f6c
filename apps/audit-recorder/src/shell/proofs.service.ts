import { openCheckpoint, proveConsistency, proveInclusion } from '@countersign/record';
import { Refused, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { lastCheckpoint, type Reader, type SignedCheckpoint, treeReader } from './log.repository.js';
import { SETTINGS, type Settings } from './settings.js';

/** Proofs under the latest checkpoint. Hashes in base64. */
@Injectable()
export class Proofs {
  readonly read: Reader;

  constructor(
    @Inject(RUNTIME) runtime: Runtime,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    this.read = (sql, params) => runtime.readForPage(sql, params);
  }

  /** The checkpoint of the largest size. If there is none, or it was changed, throws the error that the page returns. */
  async latest(): Promise<SignedCheckpoint> {
    const last = await lastCheckpoint(this.read);
    if (!last) throw notSigned('nothing has been signed yet: try again soon');
    const { origin, signingKey } = this.settings;
    // A checkpoint is verified before it is published: a note that was changed in the table is not passed on.
    if (!openCheckpoint(last.note, { origin, keys: [signingKey] }).ok) {
      throw refused(
        500,
        'Record altered',
        'the stored checkpoint is not the one that was signed: somebody changed the record. Keep the database as it is, run countersign verify, and compare with a checkpoint that is kept elsewhere',
      );
    }
    return last;
  }

  /** Proves that the leaf at `index` is among those that the latest checkpoint signs. */
  async inclusion(index: number): Promise<{ checkpoint: string; proof: string[] }> {
    const { size, note } = await this.latest();
    if (index >= size) throw notSigned(`leaf ${index} is in no checkpoint yet: try again soon`);
    const proof = await proveInclusion(index, size, treeReader(this.read));
    return { checkpoint: note, proof: proof.map(base64) };
  }

  /** Proves that the log of the first `from` leaves is a beginning of the log that the latest checkpoint signs. */
  async consistency(from: number): Promise<{ from: number; to: number; checkpoint: string; proof: string[] }> {
    const { size, note } = await this.latest();
    if (from > size) throw notSigned(`the latest checkpoint signs ${size} leaves, fewer than ${from}`);
    const proof = await proveConsistency(from, size, treeReader(this.read));
    return { from, to: size, checkpoint: note, proof: proof.map(base64) };
  }
}

export const refused = (status: number, title: string, detail: string): Refused =>
  new Refused({ status, title, detail });
const notSigned = (detail: string): Refused => refused(409, 'Not signed yet', detail);

export const base64 = (hash: Uint8Array): string => Buffer.from(hash).toString('base64');
