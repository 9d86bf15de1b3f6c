import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ActionProposed, sourceOf, toBinary } from '@countersign/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { added, shared, type Visitor, visit } from './installation.js';

/* A source, an agent and an executor that a team added to its configuration, and to nothing else. */

let visitor: Visitor;
let folder: string;
beforeAll(async () => {
  visitor = await visit(await shared());
  folder = mkdtempSync(join(tmpdir(), 'countersign-added-'));
});
afterAll(async () => {
  await visitor?.leave();
  if (folder) rmSync(folder, { recursive: true });
});

const at = new Date().toISOString();
const proposal: ActionProposed = {
  proposalId: randomUUID(),
  taskId: randomUUID(),
  agent: added.agent,
  play: { id: 'none', runId: randomUUID(), title: 'None' },
  purpose: 'to be seen',
  kinds: ['crm.create_task'],
  action: {
    actionId: randomUUID(),
    kind: 'crm.create_task',
    accountId: 'added-gmbh',
    payload: { title: 'Call', body: 'Call them', dueAt: at },
  },
  rationale: 'r',
  evidence: [],
  confidence: 1,
  alternatives: [],
  planner: { kind: 'rules', name: 'r' },
  lineage: 'trusted',
  proposedAt: at,
  madeFrom: {},
};

test('the command line lists them beside those that were shipped', async () => {
  const { participants } = await visitor.answer<{ participants: Record<string, string[]> }>('status');
  expect(participants).toEqual({
    sources: expect.arrayContaining(['website', added.source]),
    agents: ['paid-media-agent', 'sequencing-agent', added.agent],
    executors: ['action-executor', 'downstream', added.executor],
  });
});

test('what the agent proposes is judged, what the source publishes is accepted, and the audit misses neither', async () => {
  const producer = visitor.kafka(added.agent).producer();
  await producer.connect();
  const event = { id: randomUUID(), source: sourceOf(added.agent), type: 'ActionProposed', time: at, data: proposal };
  await producer.send({
    topic: `actions.proposed.${added.agent}.v1`,
    messages: [{ key: 'added-gmbh', ...toBinary(event) }],
  });
  await producer.disconnect();
  const refused = await visitor.until('a verdict', () =>
    visitor.eventsOf('ActionRefused', (r) => r.proposalId === proposal.proposalId).at(0),
  );
  expect(refused.agent).toBe(added.agent);

  writeFileSync(join(folder, 'company.csv'), `id,property_name,_fivetran_synced\n1,Added,${at}\n`);
  const replayed = await visitor.answer<{ accepted: number; problems: string[] }>(
    ...['replay', 'hubspot', folder, '--source', added.source],
  );
  expect(replayed).toMatchObject({ accepted: 1, problems: [] });
  const accepted = visitor.eventsOf('SignalAccepted', (a) => a.source === `/sources/${added.source}/hubspot`);
  expect(accepted).toHaveLength(1);

  const audit = await visitor.answer<{ violations: { invariant: string; ids: string[] }[] }>(
    ...['audit', 'invariants', '--grace', '0'],
  );
  const own = new Set([proposal.proposalId, proposal.taskId, ...accepted.map((a) => a.signalId)]);
  expect(audit.violations.filter(({ ids }) => ids.some((id) => own.has(id)))).toEqual([]);
});
