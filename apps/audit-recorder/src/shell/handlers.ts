import { topology } from '@countersign/contracts';
import { type Batch, deployment } from '@countersign/runtime';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { leafOf } from '../core/leaves.js';
import { signingJob } from './checkpoints.js';
import { appendLeaves, lockLog } from './log-store.js';
import { SETTINGS, type Settings } from './settings.js';

/** Every topic that the recorder reads: all but its own checkpoints. */
const recorded = topology(deployment())
  .filter(({ readers }) => readers.includes('audit-recorder'))
  .map(({ name }) => name);

@Controller()
export class Handlers {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  @EventPattern<string[]>(recorded)
  async onRecords(@Payload() batch: Batch): Promise<void> {
    const [first] = batch.records;
    if (!first) return;
    const leaves = batch.records.map((record) => leafOf(record, this.settings.commitmentKey));
    await lockLog(batch.tx);
    await appendLeaves(batch.tx, leaves, batch.at);
    batch.schedule(first.cause, signingJob(batch.topic, first, batch.at));
  }
}
