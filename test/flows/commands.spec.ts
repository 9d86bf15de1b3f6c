import type { DataOf } from '@countersign/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { company } from './signals.js';

/* What a page shows or does, the command line shows or does in an installation that runs. */

let visitor: Visitor;
let waiting: DataOf<'ActionEscalated'>;
const board = company('command-board', 3, 'c-suite');

beforeAll(async () => {
  visitor = await visit(await shared());
  await visitor.accepted('crm', board.known());
  await visitor.accepted('website', board.compare());
  waiting = await visitor.until('a first message to wait for a person', () =>
    visitor.eventsOf('ActionEscalated', ({ action }) => action.accountId === board.id).at(0),
  );
  await visitor.until('the console to list it', async () => {
    const { out } = await visitor.cli('review', 'list', '--account', board.id);
    return out.includes(waiting.proposalId);
  });
});
afterAll(() => visitor?.leave());

const done = async (...words: string[]): Promise<string> => {
  const { code, out, err } = await visitor.cli(...words);
  expect({ words, code, err }).toMatchObject({ code: 0 });
  return out;
};

test('a dry run says what the rules would say of a changed message, and nobody is answered by it', async () => {
  const { proposalId } = waiting;
  expect(await done('kinds', 'email.send')).toMatch(/subject +string +required/);
  const changed = ['review', 'dry-run', proposalId, '--set', 'subject=A shorter one'];
  expect(await visitor.answer(...changed)).toMatchObject({ judged: true });
  expect(visitor.eventsOf('ReviewDecided', ({ subject }) => subject.id === proposalId)).toEqual([]);
  expect((await visitor.cli(...changed, '--set', 'purpose=whatever')).code).not.toBe(0);
});

test('what is under way is told by its scope', async () => {
  const { code, out } = await visitor.cli('queue', '--account', board.id);
  expect(code).toBe(1);
  expect(out).toContain(waiting.proposalId);
  expect(await done('queue', '--account', 'nobody-here')).toBe('Nothing of account:nobody-here is under way.\n');
});

test('each step of a story is proved by the record, and checked by whoever asks', async () => {
  const { proofs } = await visitor.until('every step to be signed', async () => {
    const { code, out } = await visitor.cli('stories', waiting.proposalId, '--prove', '--json');
    return code === 0 && (JSON.parse(out) as { proofs: { state: string }[] });
  });
  expect(proofs.length).toBeGreaterThan(2);
  expect(new Set(proofs.map(({ state }) => state))).toEqual(new Set(['proved']));
  expect(await done('checkpoints', '--prove', '--limit', '3')).toContain('proved');
});

test('what changes is told while it happens', async () => {
  let ended = false;
  const watched = visitor.cli('watch', '--lines', '1').finally(() => {
    ended = true;
  });
  const scope = ['--account', `${board.id}-watched`, '--reason', 'to be seen'];
  // Whoever begins to listen is told of what changes after that alone.
  for (let n = 0; !ended; n++) await visitor.cli(n % 2 === 0 ? 'stop' : 'resume', ...scope);
  await visitor.cli('resume', ...scope);
  expect(await watched).toMatchObject({ code: 0, out: expect.stringMatching(/(control|story|review) .*\n$/) });
});

test('lists that pages have are there', async () => {
  expect(await done('whoami')).toMatch(/^lea: .*reviewer/);
  expect(await done('notifications')).toContain('nobody is notified');
  expect(await done('policy', 'show', '1')).toMatch(/^Policy 1 by /);
  const [run] = visitor.eventsOf('TaskAssigned', ({ play }) => play.runId === waiting.play.runId);
  expect(await done('plays', '--run', run?.play.runId ?? '')).toContain(waiting.proposalId.slice(0, 8));
});
