import { expect, test } from 'vitest';
import { ApiProblem } from '../../app/api-problem.js';
import { effectOf, liveVerdict, titleAgainst, underButtons } from './verdict-words.js';

const policy = { version: 1, digest: null };

test('an answer that the rules refuse is final', () => {
  const judged = { outcome: 'refused' as const, policy };
  expect(effectOf(judged)).toBe('refused');
  expect(titleAgainst(judged)).toBe('If you approve it now, it is refused and cannot be approved later');
  expect(underButtons(judged)).toEqual([
    'The rules would refuse it',
    'If you approve it, it cannot be approved later.',
  ]);
});

test('an answer that would be set aside has no effect: others can still answer, so nothing is called final', () => {
  const judged = { outcome: 'refused' as const, policy: null };
  expect(effectOf(judged)).toBe('none');
  const words = [titleAgainst(judged), ...(underButtons(judged) ?? [])].join(' ');
  expect(titleAgainst(judged)).toBe('Your answer would have no effect');
  expect(words).not.toMatch(/refuse|later/);
});

test('nothing speaks against an answer that the rules let through', () => {
  const judged = { outcome: 'approved' as const, policy };
  expect(effectOf(judged)).toBe('approved');
  expect(titleAgainst(judged)).toBeUndefined();
  expect(underButtons(judged)).toBeUndefined();
});

test('a verdict that is not known says why, with times in the reader’s zone', () => {
  const refused = new ApiProblem(
    429,
    'Too many',
    'you have asked 60 times in a minute: ask again at 2026-11-21T10:00:30.000Z',
  );
  const { why } = liveVerdict(refused, undefined) as { why: string };
  expect(why).toMatch(/^You have asked 60 times in a minute: ask again at .*\d\d/);
  expect(why).not.toContain('T10:00');
  expect(liveVerdict(new ApiProblem(409, 'Answered', 'lea approved it'), undefined)).toEqual({
    state: 'unknown',
    why: 'Lea approved it',
  });
  expect(liveVerdict(null, { judged: false } as never)).toMatchObject({
    state: 'unknown',
    why: expect.stringContaining('not answered in time'),
  });
  expect(liveVerdict(null, undefined)).toEqual({ state: 'asking' });
  // That the session is over is said by the frame.
  expect(liveVerdict(new ApiProblem(401, 'Session ended', 'sign in'), undefined)).toEqual({ state: 'unknown' });
});
