import { expect, test } from 'vitest';
import { shortStory } from './story.js';

const at = '2026-11-21T10:00:00.000Z';
const line = (what: string, detail: string) => ({ at, what, detail });

test('the short story counts what led to an action and the rules that pass, and says every other rule in full', () => {
  const { lines, hidden } = shortStory([
    line('signal', 'a visit'),
    line('signal', 'another visit'),
    line('profile', 'an account'),
    line('play', 'a task'),
    line('evidence', 'a visit'),
    line('proposal', 'send it'),
    line('alternative', 'leave it'),
    line('verdict', 'needs a person'),
    line('rule', 'size passes: 10 bytes'),
    line('rule', 'first-touch asks for a person: nobody passes: not even lea'),
    line('rule', 'route passes: runs there'),
    line('review', 'lea approved'),
    line('verdict', 'approved'),
    line('rule', 'size passes: 10 bytes'),
    line('effect', 'executed'),
  ]);
  expect(lines.map(({ what, detail }) => `${what}: ${detail}`)).toEqual([
    'reason: 2 signals and 1 fact',
    'play: a task',
    'proposal: send it',
    'verdict: needs a person',
    'rule: first-touch asks for a person: nobody passes: not even lea',
    'rule: the other 2 rules pass',
    'review: lea approved',
    'verdict: approved',
    'rule: 1 rule passes',
    'effect: executed',
  ]);
  expect(hidden).toBe(8);
});

test('the words of an agent cannot pass for a rule that passes', () => {
  const { lines } = shortStory([line('proposal', 'x'), line('rationale', '“it passes: look”')]);
  expect(lines.map(({ what }) => what)).toEqual(['proposal', 'rationale']);
});

test('a story without a proposal is told whole', () => {
  const lines = [line('signal', 'a visit'), line('profile', 'an account')];
  expect(shortStory(lines)).toEqual({ lines, hidden: 0 });
});
