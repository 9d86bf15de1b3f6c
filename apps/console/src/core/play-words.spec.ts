import { Play } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { content } from './given-policy.js';
import { lasting } from './kind-words.js';
import { playSteps } from './play-words.js';

const shown = (play: Play, charters = content.charters) =>
  playSteps(play, charters).map(({ kind, title, lines }) => [kind, title, ...lines].join(' | '));

test('plays read like this, from what starts them to their tasks', () => {
  expect(content.plays.map((play) => shown(play))).toMatchInlineSnapshot(`
    [
      [
        "trigger | It starts when | 3 contacts of one account (tier is 1) are each in a signal 'content engaged' (topic is comparison or pricing) within 6 days. | Signals that are older than 8 days when they arrive start nothing.",
        "cool-down | It holds back | After a run it starts again for the same account or campaign only when 14 days have passed.",
        "checkpoint | A person agrees first | lea has 4 hours to answer. Without an answer no task goes out.",
        "task | Be visible while the account compares | paid-media-agent may move daily budget from one campaign to another. | It has 30 minutes. | It acts on the campaign cmp-comparison. | It moves 15 % of a daily budget at a time.",
        "proposals | Each proposal is judged | The rules approve it, refuse it, or ask a person. What is approved is carried out.",
      ],
      [
        "trigger | It starts when | a campaign earns less than 120 % of what it spent over 7 days, by the signal campaign performance reported. If the campaign itself reports a floor, that one counts. If it spent less than EUR 100.00 in this time, the play does not start: so little is not enough to judge by. | Signals that are older than 3 days when they arrive start nothing.",
        "cool-down | It holds back | There is no cool-down: it can start again at once.",
        "task | Stop or reduce what does not pay back | paid-media-agent may pause a campaign or move daily budget from one campaign to another. | It has 1 hour and 30 minutes.",
        "proposals | Each proposal is judged | The rules approve it, refuse it, or ask a person. What is approved is carried out.",
      ],
    ]
  `);
});

test('the least spend is an amount of money in the currency of whoever gets the tasks', () => {
  const play = content.plays.find(({ trigger }) => trigger.pattern === 'return-below-floor') as Play;
  const inCurrencies = (...currencies: string[]) =>
    shown(
      { ...play, tasks: currencies.map((_, n) => ({ ...play.tasks[0], agent: `a-${n}` }) as Play['tasks'][number]) },
      currencies.map((currency, n) => ({ ...content.charters[0], agent: `a-${n}`, currency }) as never),
    )[0];
  expect(inCurrencies('USD', 'USD')).toContain('spent less than USD 100.00 in this time');
  expect(inCurrencies('EUR', 'JPY')).toContain('spent less than EUR 100.00 or JPY 10,000 in this time');
  expect(shown(play, [])[0]).toContain('less than 10,000 smallest units of its currency, such as cents, in this time');
});

test('every part of a play is told', () => {
  for (const play of content.plays) {
    const unlike: Partial<Record<keyof Play, unknown>> = {
      freshWithinDays: 77,
      coolDownDays: 33,
      trigger: { ...play.trigger, withinDays: 5 },
      tasks: play.tasks.map((task) => ({ ...task, dueInMinutes: 7 })),
      checkpoint: { reviewers: ['tom'], withinMinutes: 9 },
    };
    // Its name and title head the page.
    expect([...Object.keys(unlike), 'id', 'title'].sort()).toEqual(Object.keys(Play.shape).sort());
    for (const [member, value] of Object.entries(unlike))
      expect({ member, words: shown({ ...play, [member]: value }) }).not.toEqual({ member, words: shown(play) });
  }
});

test('a setting of an agent that runs elsewhere is told by its own name', () => {
  const [play] = content.plays as [Play];
  const [task] = play.tasks;
  if (!task) throw new Error('there is a task');
  const steps = shown({ ...play, tasks: [{ ...task, settings: { tone: 'warm', constructor: 'x' } }] });
  expect(steps.at(-2)).toContain('tone: warm | constructor: x');
});

test.each([
  [0, 'no time'],
  [45, '45 seconds'],
  [5400, '1 hour and 30 minutes'],
  [86_400, '24 hours'],
  [129_600, '36 hours'],
  [176_461, '2 days, 1 hour, 1 minute and 1 second'],
])('%i seconds are %s', (seconds, words) => {
  expect(lasting(seconds)).toBe(words);
});
