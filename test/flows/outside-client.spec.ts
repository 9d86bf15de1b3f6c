import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram, shared, type Visitor, visit } from './installation.js';
import { company } from './signals.js';

const program = join(import.meta.dirname, 'outside-client.mjs');

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

test('a client without any of our code makes a surge, checks the permit by hand and settles it', async () => {
  // The account whose CRM tasks go to `downstream`, with people of this test's own: the sample need not have been played.
  const partner = company('partner-gmbh', 6);
  const people = partner.people.slice(3).map(({ ref }) => ref);
  await visitor.accepted('crm', partner.known());
  const result = await runProgram(program, [visitor.home, partner.id, ...people]);
  expect(result.code, result.err).toBe(0);
  const { permitId, actionId, fault } = JSON.parse(result.out) as { permitId: string; actionId: string; fault: null };
  expect(fault).toBeNull();

  const approved = visitor.eventsOf('ActionApproved', (a) => a.permitId === permitId)[0];
  expect(approved).toMatchObject({
    executor: 'downstream',
    connector: 'crm',
    actionId,
    action: { kind: 'crm.create_task' },
  });
  const settled = await visitor.until('the settlement', () =>
    visitor.eventsOf('ActionSettled', (s) => s.permitId === permitId).at(0),
  );
  expect(settled).toMatchObject({ outcome: 'executed', executor: 'downstream', actionId });
  // The validator has taken it: the record tells it, and the executor beside it has not touched it.
  const story = await visitor.until('the story to have its end', async () => {
    const { lines } = await visitor.answer<{ lines: { detail: string }[] }>('show', actionId);
    return lines.some(({ detail }) => /executed/.test(detail)) && lines;
  });
  expect(story.length).toBeGreaterThan(3);
  const { tasks } = await visitor.sandbox<{ tasks: { accountId: string }[] }>('crm/tasks');
  expect(tasks.filter((t) => t.accountId === 'partner-gmbh')).toEqual([]);
});

test('it knows nothing but kafkajs and Node', () => {
  const imports = [...readFileSync(program, 'utf8').matchAll(/ from '([^']+)'/g)].map(([, name]) => name);
  expect(imports.filter((name) => name !== 'kafkajs' && !name?.startsWith('node:'))).toEqual([]);
});
