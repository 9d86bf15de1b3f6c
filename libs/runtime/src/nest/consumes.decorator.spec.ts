import 'reflect-metadata';
import { type DataOf, topics, topology } from '@countersign/contracts';
import { PATTERN_METADATA } from '@nestjs/microservices/constants.js';
import { expect, test } from 'vitest';
import { type Batch, type Cause, jobName, type Runtime, type Tx, type Work } from '../api/runtime.js';
import { Consumes } from './consumes.decorator.js';

test('a handler is found under the names of its topics', () => {
  class Handlers {
    @Consumes(topics.actionsSettled('one'), topics.actionsSettled('two'))
    async onSettled(_batch: Batch<'ActionSettled' | 'PermitRejected'>): Promise<void> {}
  }
  const patterns: unknown = Reflect.getMetadata(PATTERN_METADATA, Handlers.prototype.onSettled);
  expect(patterns).toEqual(['actions.settled.one.v1', 'actions.settled.two.v1']);
});

test('every topic of the topology is one that can be named in code, with the same types', () => {
  const named = new Map(
    Object.values(topics).flatMap((topic) =>
      (typeof topic === 'function' ? everybody.map((service) => topic(service)) : [topic]).map(
        ({ name, types }) => [name, types] as const,
      ),
    ),
  );
  for (const { name, types } of topology()) expect([name, named.get(name)]).toEqual([name, types]);
});

const everybody = [...new Set(topology().flatMap(({ name, writer }) => [writer, name.split('.')[2] ?? '']))];

/* What must not compile. `npm run build` fails where one of these lines does, since then its @ts-expect-error expects nothing. */

export class WrongHandlers {
  // @ts-expect-error proposals are not on the topic of tasks
  @Consumes(topics.tasksAssigned)
  async onTasks(_batch: Batch<'ActionProposed'>): Promise<void> {}

  // @ts-expect-error the topic also has events of another type
  @Consumes(topics.actionsSettled('one'))
  async onSettled(_batch: Batch<'ActionSettled'>): Promise<void> {}
}

const later = jobName<{ readonly taskId: string }>('later');

export async function wrongUses(
  work: Work,
  runtime: Runtime,
  tx: Tx,
  cause: Cause,
  task: DataOf<'TaskAssigned'>,
  refused: DataOf<'ActionRefused'>,
): Promise<void> {
  work.emit(cause, topics.tasksAssigned, { key: 'k', data: task });
  // @ts-expect-error foreign data
  work.emit(cause, topics.tasksAssigned, { key: 'k', data: refused });
  // @ts-expect-error a type that the topic does not have
  work.emit(cause, topics.tasksAssigned, { key: 'k', type: 'ActionRefused', data: refused });
  // @ts-expect-error a topic of two types needs to be told which one it is
  work.emit(cause, topics.actionsEscalated, { key: 'k', data: refused });
  // @ts-expect-error a misspelt topic
  work.emit(cause, topics.taskAssigned, { key: 'k', data: task });
  // @ts-expect-error a topic by its bare name
  work.emit(cause, 'tasks.assigned.v1', { key: 'k', data: task });

  const profiles = await runtime.state(tx, topics.profiles, ['account:acme']);
  // @ts-expect-error a profile has no scope
  profiles.get('account:acme')?.data?.scope;

  work.schedule(cause, { kind: later, id: '1', dueAt: work.at, payload: { taskId: '1' } });
  // @ts-expect-error a kind of job by its bare name
  work.schedule(cause, { kind: 'later', id: '1', dueAt: work.at, payload: { taskId: '1' } });
  // @ts-expect-error the payload of another kind of job
  work.schedule(cause, { kind: later, id: '1', dueAt: work.at, payload: { permitId: '1' } });
}
