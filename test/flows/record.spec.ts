import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataOf } from '@countersign/contracts';
import type { RecordReport } from '@countersign/record';
import { workspaceRoot } from '@countersign/servers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProgramResult, runProgram, shared, type Visitor, visit } from './installation.js';
import { company } from './signals.js';

interface Story {
  readonly found: boolean;
  readonly title: string;
  readonly lines: readonly { readonly what: string; readonly detail: string }[];
}

let visitor: Visitor;
let folder: string;
beforeAll(async () => {
  visitor = await visit(await shared());
  folder = mkdtempSync(join(tmpdir(), 'countersign-flows-record-'));
});
afterAll(async () => {
  await visitor?.leave();
  if (folder) rmSync(folder, { recursive: true });
});

/** Three people of an account compare; returns the signals and what is proposed to be sent to one of them. */
async function surge(id: string, seniority: Parameters<typeof company>[2]) {
  const { known, compare } = company(id, 3, seniority);
  await visitor.accepted('crm', known());
  const signals = compare();
  await visitor.accepted('website', signals);
  const proposed = await visitor.until('a proposed message', () =>
    visitor.eventsOf('ActionProposed', (p) => p.action.accountId === id && p.action.kind === 'email.send').at(0),
  );
  return { signals, proposed };
}

const approvalOf = (proposed: DataOf<'ActionProposed'>) =>
  visitor.until('the approval', () =>
    visitor
      .eventsOf('ActionApproved', (a) => a.proposalId === proposed.proposalId && a.executor !== 'downstream')
      .at(0),
  );

const executed = (approved: DataOf<'ActionApproved'>) =>
  visitor.until('the settlement', () =>
    visitor.eventsOf('ActionSettled', (s) => s.permitId === approved.permitId && s.outcome === 'executed').at(0),
  );

/** The story of an id, once it tells what `what` names: the recorder reads what everybody else reads, at its own pace. */
const story = (id: string, detail: RegExp) =>
  visitor.until(`the story of ${id} to say ${detail}`, async () => {
    const shown = await visitor.answer<Story>('show', id);
    return shown.found && shown.lines.some((line) => detail.test(line.detail)) && shown;
  });

/** The lines of one kind, as one text. */
const linesOf = ({ lines }: Story, what: string): string =>
  lines
    .filter((line) => line.what === what)
    .map(({ detail }) => detail)
    .join('\n');

test('every id of an executed message tells its story, from the signals to the effect', async () => {
  const account = `story-${crypto.randomUUID().slice(0, 8)}`;
  const { signals, proposed } = await surge(account, 'manager');
  const approved = await approvalOf(proposed);
  const settled = await executed(approved);
  const { contactId } = approved.action.payload as { contactId: string };

  // Narrow ids tell of this message alone, the task's and a signal's of everything that came of them.
  const ids = {
    proposal: proposed.proposalId,
    action: approved.actionId,
    permit: approved.permitId,
    task: proposed.taskId,
    signal: signals[0]?.id ?? '',
  };
  for (const [what, id] of Object.entries(ids)) {
    const found = await story(id, new RegExp(`${settled.outcome} by .*${settled.externalReference}`));
    expect(linesOf(found, 'signal'), what).toMatch(
      new RegExp(`ContentEngaged from /sources/website about (.*\\()?account ${account}\\b`),
    );
    expect(linesOf(found, 'signal').match(/ContentEngaged/g), what).toHaveLength(3);
    expect(linesOf(found, 'profile'), what).toMatch(new RegExp(`account ${account}\\)?: .*tier 1`));
    expect(linesOf(found, 'profile'), what).toMatch(new RegExp(`contact ${contactId}\\)?: .*seniority manager`));
    expect(linesOf(found, 'play'), what).toMatch(/"Tier-1 comparison surge" gave sequencing-agent a task/);
    expect(linesOf(found, 'proposal'), what).toMatch(/sequencing-agent proposed to send .*confidence/);
    expect(linesOf(found, 'rationale'), what).toContain(proposed.rationale);
    for (const { rule, detail } of approved.verdict.reasons)
      expect(linesOf(found, 'rule'), what).toContain(`${rule} passes: ${detail}`);
    expect(linesOf(found, 'permit'), what).toContain(approved.permitId);
    expect(linesOf(found, 'effect'), what).toContain(`action-executor/mailer`);
  }
  const { title } = await visitor.answer<Story>('show', ids.permit);
  expect(title).toMatch(/^sequencing-agent: send .*\(executed\)$/);

  // The same for a person's eyes; and what is not on the record is not made up.
  const read = await visitor.cli('show', ids.action);
  expect(read).toMatchObject({ code: 0, err: '' });
  expect(read.out).toContain(title);
  expect(await visitor.cli('show', crypto.randomUUID())).toMatchObject({ code: 1 });
});

test('[case 59] the story of what needed a person says who agreed, and with which words', async () => {
  const { proposed } = await surge(`chiefs-${crypto.randomUUID().slice(0, 8)}`, 'c-suite');
  const verdict = await visitor.until('the verdict', () =>
    [
      ...visitor.eventsOf('ActionEscalated'),
      ...visitor.eventsOf('ActionRefused'),
      ...visitor.eventsOf('ActionApproved'),
    ].find(({ proposalId }) => proposalId === proposed.proposalId),
  );
  expect(verdict.verdict).toMatchObject({ outcome: 'escalated' });
  await visitor.until(
    'the console to know it',
    async () => (await visitor.cli('review', 'show', proposed.proposalId)).code === 0,
  );
  const { reviews } = await visitor.answer<{ reviews: { id: string }[] }>('review', 'list');
  expect(reviews.map(({ id }) => id)).toContain(proposed.proposalId);
  const result = await visitor.cli('review', 'approve', proposed.proposalId, '--yes', '--note', 'she asked me for it');
  expect(result).toMatchObject({ code: 0 });
  const approved = await approvalOf(proposed);
  await executed(approved);

  const found = await story(approved.permitId, /^executed by /);
  expect(linesOf(found, 'review')).toBe('lea approved it, noting “she asked me for it”');
  expect(linesOf(found, 'rule')).toMatch(/ asks for a person: /);
  expect(linesOf(found, 'verdict')).toMatch(/needs a person, .*lea/);
  expect(linesOf(found, 'verdict')).toMatch(/approved under policy version \d+, as lea answered/);
  expect(linesOf(found, 'effect')).toMatch(/^executed by action-executor\/mailer/);
});

test('the whole record is verified, and a signed checkpoint vouches for all of it', async () => {
  const report = await visitor.until('a checkpoint of the whole record', async () => {
    const found = await visitor.answer<RecordReport & { keyKnownBefore: boolean }>('verify');
    expect(found).toMatchObject({ ok: true, problems: [], keyKnownBefore: true });
    return found.confirmed === found.size && found;
  });
  expect(report.size).toBeGreaterThan(0);
  expect(report.eventsChecked).toBe(report.size);
  expect(report.checkpointsChecked).toBeGreaterThan(0);
  const result = await visitor.cli('verify');
  expect(result).toMatchObject({ code: 0, err: '', out: expect.stringContaining('The record is whole.') });
});

/** Verifies a file where there is no installation: only the program, the file and the key. */
const offline = (file: string): Promise<ProgramResult> =>
  runProgram(
    join(workspaceRoot, 'apps/cli/bin/countersign.mjs'),
    ['verify', '--export', file, '--key', visitor.run.recordKey, '--json'],
    { COUNTERSIGN_HOME: join(folder, 'nowhere') },
  );

test('an export is verified offline, and whatever is changed in it is found and named', async () => {
  const whole = join(folder, 'record.ndjson');
  expect(await visitor.cli('export', '-o', whole)).toMatchObject({ code: 0, err: '' });
  const lines = readFileSync(whole, 'utf8').trimEnd().split('\n');
  const signed = lines.filter((line) => line.startsWith('{"checkpoint"')).length;
  const result = await offline(whole);
  expect({ code: result.code, ...JSON.parse(result.out) }).toMatchObject({
    code: 0,
    ok: true,
    keyKnownBefore: true,
    size: lines.length - 1 - signed,
    checkpointsChecked: signed,
  });

  const at = lines.findLastIndex((line) => line.includes('"actions.approved.v1"'));
  const leaf = JSON.parse(lines[at] as string) as { index: number; bytes: string; sha256: string; offset: string };
  const changed = async (line: object | undefined): Promise<unknown> => {
    const file = join(folder, 'changed.ndjson');
    const text = line ? lines.with(at, JSON.stringify(line)) : lines.slice(0, -1);
    writeFileSync(file, `${text.join('\n')}\n`);
    const { code, out } = await offline(file);
    const { problems } = JSON.parse(out) as RecordReport;
    return { code, first: problems[0] && { kind: problems[0].kind, at: problems[0].at } };
  };
  const here = { leaf: leaf.index };

  const bytes = Buffer.from(leaf.bytes, 'base64');
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  expect(await changed({ ...leaf, bytes: bytes.toString('base64') })).toEqual({
    code: 1,
    first: { kind: 'event-altered', at: here },
  });
  const other = leaf.sha256.startsWith('0') ? '1' : '0';
  expect(await changed({ ...leaf, sha256: other + leaf.sha256.slice(1) })).toMatchObject({
    code: 1,
    first: { at: here },
  });
  expect(await changed({ ...leaf, offset: String(Number(leaf.offset) + 1_000_000) })).toEqual({
    code: 1,
    first: { kind: 'leaf-altered', at: here },
  });
});
