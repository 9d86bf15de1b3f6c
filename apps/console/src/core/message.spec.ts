import { expect, test } from 'vitest';
import { type Message, slackBody, teamsBody } from './message.js';

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
