import { topics, topology } from '@countersign/contracts';
import { type Batch, Consumes, deployment } from '@countersign/runtime';
import { Controller, Inject, Logger } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { project } from '../core/project.js';
import { projectAgents } from '../core/project-agents.js';
import { writeAgentCounts, writeAgents } from './agents.writer.js';
import { Notifier } from './notifier.service.js';
import { writeProjection } from './projection.writer.js';
import { dropWaiting, Waiting } from './waiting.repository.js';

const installed = deployment();
const { sources } = installed;
/** Logs that the console reads and does not list: the code of the acts that wait for them handles them. */
const elsewhere: ReadonlySet<string> = new Set([topics.dryRunsJudged.name, topics.revealsSealed.name]);
/**
 * Every log that the console may read and that it counts. It counts nothing in state topics, and stores its own events as it writes them.
 */
const projected = topology(installed).filter(
  ({ kind, readers, name }) => kind === 'log' && readers.includes('console') && !elsewhere.has(name),
);

/** One handler reads their events, whatever the topic: events that arrive together are written together. */
export const sharing: readonly string[] = projected.map(({ name }) => name);

@Controller()
export class Handlers {
  private readonly log = new Logger('console');
  private readonly waiting = new Waiting();

  constructor(@Inject(Notifier) private readonly notifier: Notifier) {}

  @Consumes(...projected)
  async onBatch(@Payload() batch: Batch): Promise<void> {
    const changes = project(batch.events, sources);
    const agents = projectAgents(batch.events);
    writeAgents(batch.tx, agents, batch.at);
    await writeProjection(batch.tx, changes, batch.at);
    await this.notifier.afterBatch(batch, changes);
    writeAgentCounts(batch.tx, agents);
    for (const [executor, count] of settledBy(changes.settlements)) {
      if (!this.waiting.tooMany(executor, count)) continue;
      const dropped = await dropWaiting(batch.tx, executor);
      if (dropped > 0)
        this.log.warn(`${dropped} rows of settlements of ${executor} forgotten: more wait for an approval than may`);
    }
  }
}

/** How many of these settlements each executor has written, ordered by name. */
function settledBy(settlements: readonly { readonly executor: string }[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { executor } of settlements) counts.set(executor, (counts.get(executor) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}
