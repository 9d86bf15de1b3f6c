import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Failure } from './failure.js';
import { type InspectionResult, inspected, type OnProgress } from './inspection.js';
import type { Session } from './session.js';

const clean: InspectionResult = {
  outcome: 'clean',
  checks: [{ name: 'once', detail: 'nothing twice', checked: 3, findings: 0 }],
};
type Post = { readonly path: string; readonly body: unknown };
let posts: Post[];
let warnings: string[];
let notes: string[];
let lines: string[];

beforeEach(() => {
  [posts, warnings, notes, lines] = [[], [], [], []];
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => void vi.useRealTimers());

const session = (
  answer: (path: string) => unknown = () => ({ inspectionId: 'i-1' }),
  token: string | undefined = 'a-token',
) =>
  ({
    installation: { token, credentials: undefined, person: undefined, from: undefined },
    console: {
      post: async (path: string, body: unknown) => {
        posts.push({ path, body });
        return answer(path);
      },
    },
    warn: (text: string) => void warnings.push(text),
    note: (text: string) => void notes.push(text),
    progress: (text: string) => void lines.push(text),
  }) as unknown as Session;
const run =
  (act: (onProgress: OnProgress) => Promise<void> = async () => undefined, result = clean) =>
  async (onProgress: OnProgress) => {
    await act(onProgress);
    return { answer: 'found', result };
  };
const invariants = { kind: 'invariants', report: true } as const;

test('the console is told that it began, how far it is while that changes, that it is alive, and what was found', async () => {
  const answer = await inspected(
    session(),
    invariants,
    run(async (onProgress) => {
      onProgress('reading the record', 10, 20);
      onProgress('reading the record', 12, 20);
      await vi.advanceTimersByTimeAsync(2_000);
      // Nothing new.
      await vi.advanceTimersByTimeAsync(12_000);
      await vi.advanceTimersByTimeAsync(4_000);
      onProgress('checking');
      await vi.advanceTimersByTimeAsync(2_000);
    }),
  );
  expect(answer).toBe('found');
  const reading = { path: '/v1/inspections/i-1/progress', body: { step: 'reading the record', done: 12, total: 20 } };
  expect(posts).toEqual([
    { path: '/v1/inspections', body: { kind: 'invariants' } },
    reading,
    reading,
    { path: '/v1/inspections/i-1/progress', body: { step: 'checking', done: 0, total: null } },
    { path: '/v1/inspections/i-1/end', body: clean },
  ]);
  expect([warnings, notes]).toEqual([[], []]);
  expect(lines).toEqual(['reading the record: 10 of 20', 'reading the record: 12 of 20', 'checking', '']);
});

test('a console that does not take the beginning is a warning, and the audit goes on without it', async () => {
  const refusing = session(() => {
    throw new Failure(1, 'lea is no auditor');
  });
  expect(await inspected(refusing, invariants, run())).toBe('found');
  expect(warnings).toEqual(['the console is not told of this audit, which goes on: lea is no auditor']);
  expect(posts).toHaveLength(1);
});

test('a console that is away meanwhile is warned of once, and is told the rest', async () => {
  let isAway = true;
  const absent = session((path) => {
    if (path.endsWith('/progress') && isAway) throw new Failure(2, 'not reachable', undefined, true);
    return { inspectionId: 'i-1' };
  });
  await inspected(
    absent,
    { kind: 'probe', report: true },
    run(async (onProgress) => {
      onProgress('attempts made', 1, 30);
      await vi.advanceTimersByTimeAsync(6_000);
      isAway = false;
      onProgress('attempts made', 2, 30);
      await vi.advanceTimersByTimeAsync(2_000);
    }),
  );
  expect(warnings).toEqual(['the console is not told of this probe, which goes on: not reachable']);
  expect(posts.at(-1)).toEqual({ path: '/v1/inspections/i-1/end', body: clean });
});

test('an end that the console refuses for good is a warning, and what was found counts', async () => {
  const refusing = session((path) => {
    if (path.endsWith('/end')) throw new Failure(1, 'there is no such inspection');
    return { inspectionId: 'i-1' };
  });
  expect(await inspected(refusing, invariants, run())).toBe('found');
  expect(warnings).toEqual(['the console is not told of this audit, which goes on: there is no such inspection']);
});

test('one that cannot be finished is told as broken, without the reason, and the reason goes to whoever ran it', async () => {
  const failing = inspected(session(), invariants, async () => {
    throw new Failure(2, 'Kafka at 10.0.0.1:9092: ECONNREFUSED');
  });
  await expect(failing).rejects.toThrow('Kafka at 10.0.0.1:9092');
  expect(posts.at(-1)).toEqual({ path: '/v1/inspections/i-1/end', body: { outcome: 'broken', checks: [] } });
});

test('with --no-report nothing is told; without a token it is said why not', async () => {
  await inspected(
    session(),
    { ...invariants, report: false },
    run(async (onProgress) => onProgress('x', 1, 2)),
  );
  expect([posts, warnings, notes]).toEqual([[], [], []]);
  await inspected(
    { ...session(undefined, undefined), installation: { credentials: undefined } } as never,
    invariants,
    run(),
  );
  expect([posts, warnings]).toEqual([[], []]);
  expect(notes).toEqual([expect.stringContaining('no token is set')]);
});
