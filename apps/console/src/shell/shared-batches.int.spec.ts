import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DataOf, topics } from '@countersign/contracts';
import { createHarness, type Given, type Harness, tablesOf } from '@countersign/runtime/harness';
import { copyTestDatabase } from '@countersign/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { approved, at, checkpoint, deadLetter, escalated, refused, settled, task } from '../core/given.js';
import { ConsoleModule, spec } from '../module.js';

const shipped = fileURLToPath(new URL('../../../../deploy/config', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  cpSync(shipped, join(folder, 'config'), { recursive: true });
  writeFileSync(
    join(folder, 'tokens.json'),
    JSON.stringify([{ sha256: 'a'.repeat(64), person: 'lea', roles: ['reviewer', 'operator', 'policy-owner'] }]),
  );
  process.env.CONSOLE_TOKENS_FILE = join(folder, 'tokens.json');
  process.env.CONFIG_DIR = join(folder, 'config');
  process.env.CONTROL_CONFIRM_MS = '0';
});
afterAll(() => rmSync(folder, { recursive: true }));

type Slice = { readonly topic: string; readonly events: readonly Given[] };
const correlationid = 'signal-1';
const slice = (topic: string, type: string, ...data: readonly object[]): Slice => ({
  topic,
  events: data.map((given, n) => ({ id: `${topic} ${n}`, type, data: given, key: 'k', correlationid })),
});

const answer: DataOf<'TaskSettled'> = {
  taskId: task().taskId,
  agent: 'paid-media-agent',
  play: task().play,
  outcome: 'declined',
  reason: 'nothing to do',
  proposalIds: [],
  at,
};
const { agent, play, action, rationale, evidence, confidence, taskId, proposalId } = escalated();
const proposed = {
  ...{ proposalId, taskId, agent, play, purpose: 'Stop the loss', kinds: [action.kind], action, rationale, evidence },
  ...{ confidence, alternatives: [], planner: { kind: 'rules', name: 'given' }, proposedAt: at, madeFrom: {} },
};
/** A word on the same action that is later than the approval, or earlier than it. */
const refusedAt = (when: string): DataOf<'ActionRefused'> => ({
  ...refused(),
  verdict: { ...refused().verdict, at: when },
});

/** What the topics have of one story, in words that contradict each other too. */
const story = (refusal: string): readonly Slice[] => [
  slice('tasks.assigned.v1', 'TaskAssigned', task()),
  slice('tasks.escalated.v1', 'TaskEscalated', checkpoint()),
  slice('tasks.settled.paid-media-agent.v1', 'TaskSettled', answer),
  // It answers for another agent: nobody believes it.
  slice('tasks.settled.sequencing-agent.v1', 'TaskSettled', { ...answer, agent: 'sequencing-agent' }),
  slice('actions.proposed.paid-media-agent.v1', 'ActionProposed', proposed),
  slice('actions.escalated.v1', 'ActionEscalated', escalated()),
  slice('actions.approved.v1', 'ActionApproved', approved()),
  slice('actions.refused.v1', 'ActionRefused', refusedAt(refusal)),
  slice('actions.settled.action-executor.v1', 'ActionSettled', settled('unresolved'), settled('executed')),
  slice(topics.deadLetters('orchestrator').name, 'DeadLetter', deadLetter()),
];

/** The tables of the projection, without what says only when or in which order a row was written. */
async function tables(harness: Harness): Promise<Record<string, readonly string[]>> {
  const runtime = ['inbox', 'outbox', 'jobs', 'migrations', 'state_rows', 'state_positions', 'work_positions', 'turns'];
  // Written at the start, with the time of the start.
  const others = ['own_state', 'agent_counts_begun', 'agent_tokens_begun'];
  const names = await harness.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() AND tablename <> ALL($1) ORDER BY 1`,
    [[...runtime, ...others]],
  );
  const found: Record<string, readonly string[]> = {};
  for (const { name } of names) {
    const rows = await harness.query<{ row: string }>(
      `SELECT (to_jsonb(t) - 'seq' - 'partition' - 'offset')::text AS row FROM "${name}" t ORDER BY 1`,
    );
    if (rows.length > 0) found[name] = rows.map(({ row }) => row);
  }
  return found;
}

/** What the tables hold after `deliver` was given to a console of its own. */
async function after(deliver: (harness: Harness) => Promise<unknown>): Promise<Record<string, readonly string[]>> {
  const database = await copyTestDatabase(tablesOf(spec));
  const harness = await createHarness(ConsoleModule, spec, {
    databaseUrl: database.url,
    at: '2026-11-21T10:10:00.000Z',
  });
  try {
    await deliver(harness);
    return await tables(harness);
  } finally {
    await harness.close();
    await database.close();
  }
}

const apart = (slices: readonly Slice[]) => (harness: Harness) =>
  slices.reduce(
    (before, { topic, events }) => before.then(() => harness.deliver(topic, events)),
    Promise.resolve() as Promise<unknown>,
  );

test.each([
  ['before', '2026-11-21T10:01:00.000Z'],
  ['after', '2026-11-21T10:20:00.000Z'],
])(
  'events of all topics in one batch leave the same rows as each topic by itself, with a refusal %s the approval',
  async (_when, refusal) => {
    const slices = story(refusal);
    expect(slices.every(({ topic }) => spec.sharesBatches?.includes(topic))).toBe(true);
    const alone = await after(apart(slices));
    expect(Object.keys(alone)).toEqual(
      expect.arrayContaining([
        'activities',
        'counts',
        'play_runs',
        'stories',
        'settlements',
        'verdicts',
        'pending_tasks',
      ]),
    );
    expect(await after((harness) => harness.deliverTogether(slices))).toEqual(alone);
    // And the same in another order: no order of the topics matters.
    expect(await after(apart(slices.toReversed()))).toEqual(alone);
    expect(await after((harness) => harness.deliverTogether(slices.toReversed()))).toEqual(alone);
  },
);
