import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@countersign/servers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';

/** What `countersign replay … --json` says. */
interface Report {
  readonly tables: readonly {
    readonly files: readonly string[];
    readonly rows: number;
    readonly inSignals: number;
    readonly joined: number;
    readonly notSignals: Readonly<Record<string, number>>;
    readonly signals: number;
  }[];
  readonly published: number;
  readonly accepted: number;
  readonly triggering: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly deadLetters: number;
  readonly unanswered: number;
  readonly problems: readonly string[];
}

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);

/** The ids of all tasks that there are once the orchestrator has handled every accepted signal. */
async function tasks(): Promise<string[]> {
  const [accepted, assigned] = ['signals.accepted.v1', 'tasks.assigned.v1'] as const;
  const admin = visitor.kafka('orchestrator').admin();
  await admin.connect();
  try {
    await visitor.until('the orchestrator to have handled every signal', async () => {
      const ends = await admin.fetchTopicOffsets(accepted);
      const [group] = await admin.fetchOffsets({ groupId: 'orchestrator', topics: [accepted] });
      return ends.every(({ partition, high }) => {
        const done = group?.partitions.find((p) => p.partition === partition)?.offset ?? '-1';
        return Number(high) === 0 || Number(done) >= Number(high);
      });
    });
    const written = total((await admin.fetchTopicOffsets(assigned)).map(({ high }) => Number(high)));
    await visitor.until('every task to be seen here', () => {
      const seen = visitor.events.filter(({ topic }) => topic === assigned);
      return new Set(seen.map(({ partition, offset }) => `${partition}/${offset}`)).size >= written;
    });
    return visitor.eventsOf('TaskAssigned').map(({ taskId }) => taskId);
  } finally {
    await admin.disconnect();
  }
}

/** Replays a folder, and checks that no row and no signal is without a fate. */
async function replay(kind: string, folder: string): Promise<Report> {
  const result = await visitor.cli('replay', kind, folder, '--json');
  expect(result).toMatchObject({ code: 0, err: '' });
  const report = JSON.parse(result.out) as Report;
  expect(report).toMatchObject({ problems: [], unanswered: 0, deadLetters: 0 });
  for (const { files, rows, inSignals, joined, notSignals } of report.tables) {
    expect(inSignals + joined + total(Object.values(notSignals)), files.join()).toBe(rows);
  }
  expect(total(report.tables.map(({ signals }) => signals))).toBe(report.published);
  expect(report.accepted + total(Object.values(report.rejected))).toBe(report.published);
  return report;
}

test.for(['hubspot', 'ads'])(
  'the rows of %s build profiles, are known the second time, and start no play',
  async (kind, { skip }) => {
    const folder = join(workspaceRoot, '../shared/data', kind);
    skip(!existsSync(folder), `the rows are not there: ../shared/data/${kind} beside the project`);
    const before = await tasks();

    const first = await replay(kind, folder);
    expect(total(first.tables.map(({ rows }) => rows))).toBeGreaterThan(0);
    expect(first.accepted).toBeGreaterThan(0);
    expect(first.triggering).toBe(0);

    const { tables, published, ...second } = await replay(kind, folder);
    expect({ tables, published }).toEqual({ tables: first.tables, published: first.published });
    expect(second).toMatchObject({ accepted: 0, rejected: { duplicate: published } });
    expect(Object.keys(second.rejected)).toEqual(['duplicate']);

    expect(await tasks()).toEqual(before);
  },
);
