import { topology } from '@countersign/contracts';
import { type Batch, Consumes, deployment } from '@countersign/runtime';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { project } from '../core/project.js';
import { writeProjection } from './projection.writer.js';

/** Every log that the console may read. State topics hold nothing it counts; its own it keeps as it writes them. */
const projected = topology(deployment()).filter((topic) => topic.kind === 'log' && topic.readers.includes('console'));

@Controller()
export class Handlers {
  @Consumes(...projected)
  async onBatch(@Payload() batch: Batch): Promise<void> {
    writeProjection(batch.tx, project(batch.events));
  }
}
