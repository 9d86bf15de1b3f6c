import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { company } from './signals.js';

interface Row {
  readonly deadLetterId: string;
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly fault: { readonly code: string };
  readonly replayed: { readonly by: string } | null;
}

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

test('a poison record becomes a dead letter of each reader, its partition goes on, and people list, see and replay it', async () => {
  // One account's tasks share a partition: the poison stands right before them.
  const { id, known, compare } = company(`poison-${randomUUID().slice(0, 8)}`);
  await visitor.accepted('crm', known());
  const producer = visitor.kafka('orchestrator').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const poison = `{"unfinished ${randomUUID()}`;
  const [place] = await producer.send({
    topic: 'tasks.assigned.v1',
    acks: -1,
    messages: [{ key: id, value: poison }],
  });
  await producer.disconnect();
  const letters = () =>
    visitor.eventsOf(
      'DeadLetter',
      (d) => d.topic === 'tasks.assigned.v1' && d.partition === place?.partition && d.offset === place.baseOffset,
    );
  await visitor.until('a dead letter of each reader', () => letters().length === 3);
  expect(
    letters()
      .map((d) => [d.service, d.fault.code])
      .sort(),
  ).toEqual([
    ['console', 'not-json'],
    ['paid-media-agent', 'not-json'],
    ['sequencing-agent', 'not-json'],
  ]);
  expect(JSON.stringify(letters())).not.toContain('unfinished');

  await visitor.accepted('website', compare());
  await visitor.until('both tasks behind it to be settled', () => {
    const tasks = visitor.eventsOf('TaskAssigned', (t) => t.accountId === id).map((t) => t.taskId);
    return (
      tasks.length === 2 && tasks.every((t) => visitor.eventsOf('TaskSettled', (s) => s.taskId === t).length === 1)
    );
  });

  const listed = await visitor.cli('dead-letters', 'list', '--service', 'paid-media-agent', '--json');
  expect(listed.code).toBe(1);
  const { deadLetters } = JSON.parse(listed.out) as { deadLetters: Row[] };
  const row = deadLetters.find((r) => r.partition === place?.partition && r.offset === place?.baseOffset);
  expect(row).toMatchObject({ service: 'paid-media-agent', topic: 'tasks.assigned.v1', replayed: null });
  const show = await visitor.cli('dead-letters', 'show', row?.deadLetterId ?? '');
  expect(show).toMatchObject({ code: 0, out: expect.stringContaining('tasks.assigned.v1') });

  expect((await visitor.cli('dead-letters', 'replay', row?.deadLetterId ?? '', '--note', 'read it again')).code).toBe(
    0,
  );
  await visitor.until('the service to say that it failed again', () =>
    visitor.eventsOf('ReplayEnded', (d) => d.deadLetterId === row?.deadLetterId).some((d) => d.outcome === 'failed'),
  );
  // It is as unreadable as it was: the order is on the record, and the service says so again instead of losing it.
  const after = await visitor.answer<Row>('dead-letters', 'show', row?.deadLetterId ?? '');
  expect(after.replayed).toMatchObject({ by: 'lea', note: 'read it again' });
  expect((await visitor.cli('dead-letters', 'replay', 'ffffffff', '--note', 'x')).code).toBe(1);
});
