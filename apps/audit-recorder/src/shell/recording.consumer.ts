import type { RecordConsumer, Records } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { leafOf } from '../core/leaves.js';
import { passesIn } from '../core/pass.js';
import { signingJob } from './checkpoint.job.js';
import { appendLeaves, lockLog } from './log.repository.js';
import { storePasses } from './passes.repository.js';
import { SETTINGS, type Settings } from './settings.js';

/** Appends every record of every topic but the recorder's own checkpoints. */
@Injectable()
export class Recording implements RecordConsumer {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  async store(batch: Records): Promise<void> {
    const [first] = batch.records;
    if (!first) return;
    const leaves = batch.records.map((record) => leafOf(record, this.settings.commitmentKey));
    lockLog(batch.tx);
    await appendLeaves(batch.tx, leaves, batch.at);
    // In the transaction that records the request: a person can read the record only if the request is on it.
    storePasses(batch.tx, passesIn(batch.records, batch.at), batch.at);
    batch.schedule(first.cause, signingJob(first, batch.at));
  }
}
