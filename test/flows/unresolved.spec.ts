import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { company } from './signals.js';

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

test('a permit that nobody can tell of waits for a person, whose word settles it once and stays on the record', async () => {
  const { id, known, compare } = company('mute-gmbh');
  await visitor.accepted('crm', known());
  await visitor.accepted('website', compare());
  const approved = await visitor.until('the approval of a CRM task', () =>
    visitor.eventsOf('ActionApproved', (a) => a.action.kind === 'crm.create_task' && a.action.accountId === id).at(0),
  );
  const { permitId } = approved;
  const settlements = () => visitor.eventsOf('ActionSettled', (s) => s.permitId === permitId);
  await visitor.until('the permit to end unresolved', () => settlements().length === 1);
  expect(settlements()).toMatchObject([{ outcome: 'unresolved' }]);

  const find = async () => {
    const { out } = await visitor.cli('unresolved', '--json');
    return (JSON.parse(out) as { unresolved: { permitId: string }[] }).unresolved.find((p) => p.permitId === permitId);
  };
  // The console's projection may be a moment behind the topic.
  for (let tries = 0; tries < 50 && !(await find()); tries++) await new Promise((done) => setTimeout(done, 200));
  expect(await find()).toMatchObject({ permitId, connector: 'webhook' });

  const note = 'the ticket system shows the task';
  const result = await visitor.cli('settle', permitId, '--executed', '--note', note, '--json');
  expect(result.code).toBe(0);
  expect(JSON.parse(result.out)).toMatchObject({
    permitId,
    outcome: 'executed',
    decision: { outcome: 'executed', note },
  });
  expect((await visitor.cli('settle', permitId, '--executed', '--note', 'again')).code).toBe(0);
  const opposite = await visitor.cli('settle', permitId, '--failed', '--note', 'no');
  expect(opposite.code).not.toBe(0);
  expect(opposite.err).toMatch(/decided at .* that it was executed.*that stands/);
  expect(settlements().map((s) => s.outcome)).toEqual(['unresolved', 'executed']);
  expect(visitor.eventsOf('SettlementDecided', (d) => d.permitId === permitId)).toHaveLength(1);
  expect(await find()).toBeUndefined();

  const story = await visitor.cli('show', permitId);
  expect(story.out).toContain(note);
});
