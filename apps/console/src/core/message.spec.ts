import { expect, test } from 'vitest';
import { linesOf, type Message, slackBody, teamsBody } from './message.js';

interface Block {
  readonly type: string;
  readonly block_id?: string;
  readonly elements?: readonly {
    readonly type: string;
    readonly placeholder?: { readonly text: string };
    readonly options?: readonly { readonly text: { readonly text: string }; readonly value: string }[];
  }[];
}

const messageOf = (title: string): Message => ({
  id: 'm-1',
  event: 'needs-review',
  items: ['a', 'b'].map((name) => ({
    facts: { title: `${name}${title}`, lines: [['What', title]], path: '/reviews/1', check: { on: 'nothing' } },
    until: null,
  })),
  publicUrl: 'https://console.example.com',
  timeZone: 'UTC',
});

test('a message that is cut to the length of a channel holds no half of a character', () => {
  for (const before of ['', 'x']) {
    const title = `${before}${'\u{1F600}'.repeat(2_000)}`;
    for (const body of [slackBody(messageOf(title), true), teamsBody(messageOf(title))])
      expect(JSON.stringify(body)).not.toMatch(/\\ud[89a-f]/);
    for (const { text } of slackBody(messageOf(title), false).blocks as { text?: { text: string } }[])
      expect(text?.text.length ?? 0).toBeLessThanOrEqual(3_000);
  }
});

test('a message says what happens without an answer: an action is not done, a checkpoint lets no task go out', () => {
  const message = messageOf('x');
  const facts = { title: 'x', lines: [], path: '/reviews/1', check: { on: 'nothing' } } as const;
  const [until, start] = ['2026-11-21T10:00:00.000Z', '21 Nov 2026, 10:00 (UTC). '];
  const last = (unanswered?: string) =>
    linesOf({ facts: { ...facts, ...(unanswered !== undefined && { unanswered }) }, until }, message).at(-1);
  expect(last()).toEqual(['Answer by', `${start}Without an answer by then it is not done.`]);
  expect(last('Then no task goes out.')).toEqual(['Answer by', `${start}Then no task goes out.`]);
});

test('what a person answers with in Slack stays within its limits of length', () => {
  const check = { on: 'review', subjectId: '2ff3ae86-6acc-589f-aab7-697bc1e30f58', digest: 'a'.repeat(64) } as const;
  const items = messageOf('').items.map((item) => ({ ...item, facts: { ...item.facts, check } }));
  const { blocks } = slackBody({ ...messageOf(''), items }, true) as { blocks: readonly Block[] };
  const [first] = blocks.filter(({ type }) => type === 'actions');
  expect(first?.block_id?.length).toBeLessThanOrEqual(255);
  const menu = first?.elements?.find(({ type }) => type === 'static_select');
  expect(menu?.placeholder?.text.length).toBeLessThanOrEqual(150);
  expect(menu?.options?.length).toBeGreaterThan(1);
  for (const { text, value } of menu?.options ?? []) {
    expect(text.text.length).toBeLessThanOrEqual(75);
    expect(value.length).toBeLessThanOrEqual(75);
  }
});
