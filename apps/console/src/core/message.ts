import { clip, type NotifyEvent, own, type rejections } from '@countersign/contracts';
import type { Facts } from './things.js';

/** One thing in a message. */
export interface Item {
  readonly facts: Facts;
  readonly until: string | null;
}

/** What is sent at once to one recipient on one channel. */
export interface Message {
  readonly id: string;
  readonly event: NotifyEvent;
  readonly items: readonly Item[];
  readonly publicUrl: string;
  readonly timeZone: string;
}

/** The most things that one message shows. For the others it gives their number. */
export const mostShown = 10;

const headings: Readonly<Record<NotifyEvent, { readonly single: string; readonly several: string }>> = {
  'needs-review': { single: 'Needs your review', several: 'actions need your review' },
  'deadline-near': { single: 'Still unanswered, and its deadline is near', several: 'deadlines are near' },
  stop: { single: 'Control', several: 'controls were changed' },
  alarm: { single: 'Alarm', several: 'alarms' },
  'budget-nearly-spent': { single: 'Budget nearly spent', several: 'budgets are nearly spent' },
  'acted-alone': { single: 'An agent acted alone', several: 'actions of agents that acted alone' },
  test: { single: 'Test', several: 'tests' },
};

/** What happens without an answer: a person who reads the message at night needs this to decide. */
const notDone = 'Without an answer by then it is not done.';

export const isReview = (event: NotifyEvent): boolean => event === 'needs-review' || event === 'deadline-near';

/** A time as the recipient's local clock shows it, with the zone. */
export function wallTime(at: string, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'medium', timeStyle: 'short' });
  return `${format.format(Date.parse(at))} (${timeZone})`;
}

export const linkTo = (publicUrl: string, path: string): string => `${publicUrl.replace(/\/+$/, '')}${path}`;

export function subjectOf({ event, items }: Message): string {
  const heading = own(headings, event);
  const [item] = items;
  return items.length === 1 && item ? `${heading?.single}: ${item.facts.title}` : `${items.length} ${heading?.several}`;
}

/** The lines below the title of one thing, with the end of its time for an answer. */
export function linesOf({ facts, until }: Item, { event, timeZone }: Message): readonly (readonly [string, string])[] {
  if (until === null || !isReview(event)) return facts.lines;
  return [...facts.lines, ['Answer by', `${wallTime(until, timeZone)}. ${facts.unanswered ?? notDone}`]];
}

export const shownOf = ({ items }: Message): readonly Item[] => items.slice(0, mostShown);
export const moreThan = ({ event, items, publicUrl }: Message): string | undefined =>
  items.length > mostShown
    ? `and ${items.length - mostShown} more: ${linkTo(publicUrl, isReview(event) ? '/reviews' : '/')}`
    : undefined;

/** The text of an e-mail. Only plain text, so nothing in it can be a picture, a script or a stranger's link. */
export function mailText(message: Message): string {
  const parts = shownOf(message).map((item) =>
    [
      item.facts.title,
      ...linesOf(item, message).map(([label, text]) => `${label}: ${text}`),
      `Open: ${linkTo(message.publicUrl, item.facts.path)}`,
    ].join('\n'),
  );
  const more = moreThan(message);
  return `${[...parts, ...(more === undefined ? [] : [more])].join('\n\n')}\n`;
}

/** These characters are special in Slack's text. Everywhere else plain text is sent. */
const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const plain = (text: string) => ({ type: 'plain_text', text: clip(text, 3000), emoji: false });

/** The answer that a button gives: for which card, and for which bytes of it. */
export interface ButtonValue {
  readonly subjectId: string;
  readonly digest: string;
  readonly decision: 'approve' | 'reject';
  /** Only on the second button, below the text that says what a stop takes from the approval. */
  readonly despiteStop?: true;
}
/** Messages of earlier versions have a button `reject`. Now a person chooses why in a menu, as on the page. */
export const buttonId = { approve: 'countersign-approve', reject: 'countersign-reject' } as const;
export const menuId = 'countersign-reject-why';

/** Why a person rejects, in the words of the page. */
const categories: Readonly<Record<(typeof rejections)[number], string>> = {
  'wrong-time': 'The wrong moment',
  'wrong-person': 'The wrong person or account',
  'wrong-content': 'The text or figure is wrong',
  'too-much': 'Too much: money, messages or pressure',
  'not-needed': 'Not needed',
  other: 'Something else',
};

/** What a menu answers is the name of its block: the value of an option has no room for it. */
const blockOf = (subjectId: string, digest: string): string => `countersign ${subjectId} ${digest}`;
const blockName = /^countersign (\S+) (\S+)$/;
export function cardOfBlock(block: string): { readonly subjectId: string; readonly digest: string } | undefined {
  const [, subjectId, digest] = blockName.exec(block) ?? [];
  return subjectId === undefined || digest === undefined ? undefined : { subjectId, digest };
}

/** The elements with which a person answers a card in Slack. */
function answersTo(card: Omit<ButtonValue, 'decision'>) {
  const value: ButtonValue = { subjectId: card.subjectId, digest: card.digest, decision: 'approve' };
  return [
    {
      ...{ type: 'button', text: plain('Approve'), style: 'primary' },
      ...{ action_id: buttonId.approve, value: JSON.stringify(value) },
    },
    {
      ...{ type: 'static_select', placeholder: plain('Reject: choose why'), action_id: menuId },
      options: Object.entries(categories).map(([category, words]) => ({ text: plain(words), value: category })),
      confirm: {
        title: plain('Reject'),
        text: plain('Nothing runs, and your answer cannot be taken back.'),
        confirm: plain('Reject'),
        deny: plain('Cancel'),
        style: 'danger',
      },
    },
  ];
}

/** Blocks of Slack. What answers a card carries its digest, so that an answer is bound to what the message showed. */
export function slackBody(message: Message, buttons: boolean) {
  const blocks = shownOf(message).flatMap((item) => {
    const { facts } = item;
    const text = [facts.title, ...linesOf(item, message).map(([label, line]) => `${label}: ${line}`)].join('\n');
    const open = { type: 'button', text: plain('Open'), url: linkTo(message.publicUrl, facts.path), action_id: 'open' };
    const card = buttons && isReview(message.event) && facts.check.on === 'review' ? facts.check : undefined;
    const answers = card
      ? { block_id: blockOf(card.subjectId, card.digest), elements: [open, ...answersTo(card)] }
      : { elements: [open] };
    return [
      { type: 'section', text: plain(text) },
      { type: 'actions', ...answers },
    ];
  });
  const more = moreThan(message);
  return {
    text: escaped(subjectOf(message)),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(clip(subjectOf(message), 150)) },
      ...blocks,
      ...(more === undefined ? [] : [{ type: 'section', text: plain(more) }]),
    ],
  };
}

/** What an approval would lose, for the person who pressed, with the button that approves all the same. */
export function slackLoss(detail: string, card: Omit<ButtonValue, 'decision' | 'despiteStop'>, link: string) {
  const value: ButtonValue = { ...card, decision: 'approve', despiteStop: true };
  return {
    text: escaped(detail),
    blocks: [
      { type: 'section', text: plain(detail) },
      {
        type: 'actions',
        elements: [
          { type: 'button', text: plain('Open'), url: link, action_id: 'open' },
          {
            ...{ type: 'button', text: plain('Approve all the same'), style: 'danger' },
            ...{ action_id: buttonId.approve, value: JSON.stringify(value) },
          },
        ],
      },
    ],
  };
}

/** An Adaptive Card for a workflow of Teams. Its texts are runs, which contain no Markdown. */
export function teamsBody(message: Message) {
  const runs = (text: string, more: object = {}) => ({
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text, ...more }],
  });
  const shown = shownOf(message);
  const more = moreThan(message);
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            runs(subjectOf(message), { weight: 'Bolder', size: 'Medium' }),
            ...shown.flatMap((item) => [
              ...(message.items.length > 1 ? [runs(item.facts.title, { weight: 'Bolder' })] : []),
              ...linesOf(item, message).map(([label, text]) => runs(`${label}: ${text}`)),
            ]),
            ...(more === undefined ? [] : [runs(more)]),
          ],
          actions: shown.slice(0, 6).map(({ facts }) => ({
            type: 'Action.OpenUrl',
            title: message.items.length > 1 ? clip(`Open: ${facts.title}`, 60) : 'Open',
            url: linkTo(message.publicUrl, facts.path),
          })),
        },
      },
    ],
  };
}

/** The body for a webhook of the operator. `id` is the id of the message, the same at each try. */
export function webhookBody(message: Message, at: string) {
  return {
    type: `countersign.${message.event}`,
    timestamp: at,
    data: {
      id: message.id,
      count: message.items.length,
      items: message.items.slice(0, 100).map(({ facts, until }) => ({
        title: facts.title,
        lines: facts.lines.map(([label, text]) => ({ label, text })),
        until,
        url: linkTo(message.publicUrl, facts.path),
      })),
    },
  };
}
