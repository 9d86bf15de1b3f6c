import { randomUUID } from 'node:crypto';
import type { DataOf } from '@countersign/contracts';
import type { Locator, Page, Route } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { inSandbox, reports, signal } from '../flows/signals.js';
import { objections, settled, tooWide } from './looks.js';
import { type Screen, screens } from './person.js';
import { stage } from './stage.js';
import { waiting } from './waiting.js';

/* A reviewer opens what waits, on a desk and on a phone, changes one message and rejects another. */

const on = stage();
const onEach = test.each<Screen>(['desktop', 'phone']);

let messages: Awaited<ReturnType<typeof waiting>>;
beforeAll(async () => {
  // One run of the play writes to the three people that started it.
  messages = [...(await waiting(on.visitor, 3)), ...(await waiting(on.visitor, 3)), ...(await waiting(on.visitor, 3))];
});
let used = 0;
const next = () => messages[used++] as (typeof messages)[number];

const sentTo = async (contactId: unknown) => {
  const all = await on.visitor.sandbox<{ messages: { contactId: string; subject: string }[] }>('mailer/messages');
  return all.messages.filter((message) => message.contactId === contactId);
};

/** Opens the card from the list, as a person finds it. */
async function open(page: Page, { proposalId, action }: (typeof messages)[number]): Promise<void> {
  // Of a long list only those in sight are there.
  await page.goto(`/reviews?account=${action.accountId}`);
  await page.locator(`main a[href$="/reviews/${proposalId}"]`).click();
  await page.getByRole('heading', { name: 'Why you are asked' }).waitFor();
}

const verdict = (page: Page, title: string) => page.getByRole('status').filter({ hasText: title });

onEach('on a %s a changed message waits for its verdict, is approved and sent as changed', async (screen) => {
  const { page } = await on.enter({ on: screen });
  const message = next();
  const { action } = message;
  await open(page, message);
  // The answer is held back on its way, so that what the page says meanwhile can be seen.
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route('**/v1/reviews/*/result', async (route) => {
    await held;
    await route.fallback();
  });
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: /^Subject/ }).fill('A shorter subject');
  await page.getByRole('region', { name: 'As it will be' }).getByText('A shorter subject').waitFor();
  await page.getByText('Checking the change against the rules').waitFor({ state: 'detached' });
  expect(await objections(page)).toEqual([]);
  await page.getByRole('button', { name: 'Approve and send as changed' }).click();
  await page
    .getByRole('status')
    .filter({ hasText: /Loading the result|Waiting for the verdict/ })
    .waitFor();
  expect(await page.getByText('Done: it was carried out.').count()).toBe(0);
  letGo();
  await verdict(page, 'Approved').getByText('Done: it was carried out.').waitFor({ timeout: 60_000 });
  expect(await sentTo(action.payload.contactId)).toMatchObject([{ subject: 'A shorter subject' }]);
  // It says the same to whoever comes back.
  await page.reload();
  await verdict(page, 'Approved').waitFor();
});

onEach('on a %s a rejected message is refused, and nothing is sent', async (screen) => {
  const { page } = await on.enter({ on: screen });
  const message = next();
  const { proposalId, action } = message;
  await open(page, message);
  await page.getByRole('button', { name: 'Reject' }).click();
  const dialog = page.getByRole('dialog', { name: 'Reject' });
  await dialog.getByRole('button', { name: 'Reject: nothing runs' }).click();
  await dialog.getByText('Choose a reason.').waitFor();
  expect(await objections(page)).toEqual([]);
  await dialog.getByRole('radio', { name: 'The wrong moment' }).check();
  await dialog.getByRole('textbox', { name: 'Note' }).fill('not this quarter');
  await dialog.getByRole('button', { name: 'Reject: nothing runs' }).click();
  await verdict(page, 'Rejected').getByText('Nothing runs.').waitFor();
  await page.getByText('not this quarter').waitFor();
  expect(await sentTo(action.payload.contactId)).toEqual([]);
  expect(on.visitor.eventsOf('ActionApproved', (a) => a.proposalId === proposalId)).toEqual([]);
  // The reason is among the figures of the agent, on its page and in the command.
  await page.goto(`/agents/${message.agent}`);
  const reasons = page.getByRole('region', { name: 'Why people rejected it' });
  await reasons.getByText('The wrong moment').waitFor();
  expect((await on.visitor.cli('agents', message.agent)).out).toMatch(/rejected \d+ \(.*wrong-time \d+/);
});

onEach('on a %s a first message to the C-suite is found from Now, approved as it is, and sent once', async (screen) => {
  const { page } = await on.enter({ on: screen });
  const { action, proposalId } = next();
  await page.goto('/');
  await page.getByRole('link', { name: 'All reviews' }).click();
  await page.getByRole('heading', { level: 1, name: 'Reviews' }).waitFor();
  if (screen === 'phone') await page.getByRole('button', { name: /^Filter/ }).click();
  await page
    .getByRole('combobox', { name: 'Account' })
    .or(page.getByRole('textbox', { name: 'Account' }))
    .first()
    .click();
  await page.getByRole('option', { name: action.accountId as string }).click();
  await page.locator(`main a[href$="/reviews/${proposalId}"]`).click();
  await page
    .getByText(/^First touch of .* needs a person/i)
    .first()
    .waitFor();
  const mail = page.getByRole('region', { name: 'The mail' });
  await mail.getByText('The comparison guide for').first().waitFor();
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  await page.getByRole('button', { name: /^Approve and / }).click();
  await verdict(page, 'Approved').getByText('Done: it was carried out.').waitFor({ timeout: 60_000 });
  expect(await sentTo(action.payload.contactId)).toMatchObject([
    { subject: expect.stringMatching(/^The comparison guide for [^{]/) },
  ]);
  expect(on.visitor.eventsOf('ReviewDecided', ({ subject }) => subject.id === proposalId)).toMatchObject([
    { decision: 'approve', by: 'lea' },
  ]);
});

test('a long list is read page by page: what is asked for stands below what is there, and nothing is left out although a row goes meanwhile', async () => {
  const { page } = await on.enter({ on: 'desktop' });
  const listed = async () => (await on.visitor.answer<{ reviews: { id: string }[] }>('review', 'list')).reviews;
  // In four pages or a few more, however much other files have left: a page is of two hundred else.
  const size = Math.max(2, Math.ceil((await listed()).length / 4));
  await page.route('**/v1/reviews?*', (route) =>
    route.continue({
      url: route
        .request()
        .url()
        .replace(/\blimit=\d+/, `limit=${size}`),
    }),
  );
  await page.goto('/reviews');
  const rows = page.locator('main ul.queue > li');
  /** The rows in sight by their place; a long list has no others. */
  const inSight = () =>
    rows.evaluateAll((items) =>
      items.map((item): [string, string] => [
        item.getAttribute('aria-posinset') ?? '',
        item.querySelector('a')?.getAttribute('href') ?? '',
      ]),
    );
  const seen = new Map<string, string>();
  const look = async () => {
    for (const [place, href] of await inSight()) {
      expect(seen.get(place) ?? href).toBe(href);
      seen.set(place, href);
    }
  };
  /** How many rows the list has, in sight or not. */
  const howMany = async () => Number(await rows.first().getAttribute('aria-setsize'));
  await rows.nth(1).waitFor();
  await look();
  expect(await howMany()).toBe(size);
  // Its place in the list is free now, so each later row moves up by one, and the first of the second page to the first page.
  const gone = seen.get('1')?.replace('/reviews/', '') ?? '';
  const answer = await on.visitor.cli(
    'review',
    'reject',
    gone,
    '--yes',
    '--category',
    'wrong-time',
    '--note',
    'not now',
  );
  expect(answer.code, answer.err).toBe(0);
  await rows.first().getByText('No longer in this list').waitFor();
  const more = page.getByRole('button', { name: 'Show more' });
  while ((await more.count()) > 0) {
    const before = await howMany();
    await more.click();
    await expect.poll(howMany, { timeout: 20_000 }).toBeGreaterThan(before);
    await look();
  }
  // From the first to the last, half a screen at a time.
  const total = await howMany();
  for (let y = 0; seen.size < total && y < 400 * total; y += 400) {
    await page.evaluate(`new Promise((then) => {
      window.scrollTo(0, ${y});
      requestAnimationFrame(() => requestAnimationFrame(then));
    })`);
    await look();
  }
  expect(seen.size).toBe(total);
  const all = [...seen.values()];
  expect(new Set(all).size).toBe(all.length);
  const left = await listed();
  expect(left.length).toBeGreaterThanOrEqual(messages.slice(used).length);
  for (const { id } of left) expect(all).toContain(`/reviews/${id}`);
});

test('a card leads to its own story and to that of each signal that it names, and says when its totals were counted', async () => {
  const message = messages.at(-1) as (typeof messages)[number];
  const { page } = await on.enter();
  await page.goto(`/reviews/${message.proposalId}`);
  await page.getByRole('heading', { name: 'Why you are asked' }).waitFor();
  await page.getByText(/^Limits, with this action counted in: at /).waitFor();
  expect(message.evidence.length).toBeGreaterThan(0);
  for (const { signalId } of message.evidence)
    expect(await page.locator(`main a[href="/stories/${encodeURIComponent(signalId)}"]`).count()).toBe(1);

  await page.getByRole('link', { name: 'The story of this proposal' }).click();
  await page.waitForURL(`**/stories/${message.proposalId}`);
  await page.locator('.story-steps > li').first().waitFor();
  await page.goBack();
  await page
    .getByRole('link', { name: /^The story of this signal/ })
    .first()
    .click();
  await page.waitForURL((url) => message.evidence.some(({ signalId }) => url.pathname.endsWith(`/${signalId}`)));
  await settled(page);
  await page.locator('.story-steps > li').first().waitFor();
});

test('a card quotes what the agent considered and left, under what it says itself, and so does the command', async () => {
  const message = messages.at(-1) as (typeof messages)[number];
  const [left] = message.alternatives ?? [];
  expect(left?.rejectedBecause.length).toBeGreaterThan(0);
  const { page } = await on.enter();
  await page.goto(`/reviews/${message.proposalId}`);
  const words = page.getByRole('blockquote').filter({ hasText: 'Nobody has checked them' });
  await words.getByText(`“${left?.detail}”, left because “${left?.rejectedBecause}”`).waitFor();
  const { out } = await on.visitor.cli('review', 'show', message.proposalId);
  expect(out.replaceAll(/\s+/g, ' ')).toContain(
    `considered and left: “${left?.detail}”, because “${left?.rejectedBecause}”`,
  );
});

/** A shift of EUR 180.00 a day between two campaigns that only this test knows; it waits for a person. */
async function shift(): Promise<{
  readonly card: DataOf<'ActionEscalated'>;
  readonly weak: string;
  readonly strong: string;
  readonly nameOf: (campaignId: string) => string;
}> {
  const id = randomUUID().slice(0, 8);
  const adAccountId = `ads-${id}`;
  const [weak, strong] = [`weak-${id}`, `strong-${id}`];
  const campaigns = [
    { adAccountId, campaignId: strong, dailyBudgetMinor: 40_000, returnPercent: 300, returnFloorPercent: 120 },
    { adAccountId, campaignId: weak, dailyBudgetMinor: 60_000, returnPercent: 100, returnFloorPercent: 120 },
  ];
  const ports = on.visitor.ports();
  await ports.act({ kind: 'campaigns', campaigns: campaigns.map(inSandbox) });
  await ports.close();
  const nameOf = (campaignId: string) => `The campaign ${campaignId.replace('-', ' ')}`;
  for (const campaign of campaigns)
    await on.visitor.accepted('ads', reports({ ...campaign, name: nameOf(campaign.campaignId) }));
  const card = await on.visitor.until('the shift to wait for a person', () =>
    on.visitor.eventsOf('ActionEscalated', ({ action }) => action.payload.fromCampaignId === weak).at(0),
  );
  await on.visitor.until('the console to list it', async () =>
    (await on.visitor.cli('review', 'list')).out.includes(card.proposalId),
  );
  return { card, weak, strong, nameOf };
}

type Bar = readonly [word: string, amount: string, percentOfTrack: number];
interface Drawn {
  readonly children: readonly Drawn[];
  readonly textContent: string;
  getBoundingClientRect(): { readonly width: number };
}
/** The figure of a campaign on the card: its caption, and its bars as they are drawn. */
const figureOf = async (page: Page, campaign: string) => {
  const figure = page.locator('figure.bars').filter({ hasText: campaign });
  const caption = (await figure.locator('figcaption').textContent()) ?? '';
  const bars = await figure.locator('.bar').evaluateAll((all: readonly Drawn[]) =>
    all.map(({ children: [word, track, amount] }): Bar => {
      const [filled, whole] = [track?.children[0], track].map((part) => part?.getBoundingClientRect().width ?? 0);
      return [word?.textContent ?? '', amount?.textContent ?? '', Math.round((100 * (filled ?? 0)) / (whole ?? 0))];
    }),
  );
  return { caption, bars };
};

onEach(
  'on a %s a budget shift is drawn before and after, takes no wrong amount, and moves the amount that a person typed',
  async (screen) => {
    const { card, weak, strong, nameOf } = await shift();
    expect(card.action.payload).toMatchObject({ amountMinor: 18_000, currency: 'EUR' });
    const { page } = await on.enter({ on: screen });
    await page.goto(`/reviews/${card.proposalId}`);
    const drawing = page.getByRole('region', { name: 'Before and after' });
    await drawing.waitFor();
    expect(await figureOf(page, nameOf(weak))).toMatchObject({
      caption: expect.stringContaining('Daily budget, less by EUR 180.00 (30 %)'),
      bars: [
        ['now', 'EUR 600.00', 100],
        ['then', 'EUR 420.00', 70],
      ],
    });
    // On the same scale.
    expect(await figureOf(page, nameOf(strong))).toMatchObject({
      caption: expect.stringContaining('Daily budget, more by EUR 180.00 (45 %)'),
      bars: [
        ['now', 'EUR 400.00', 67],
        ['then', 'EUR 580.00', 97],
      ],
    });
    // The gate names campaigns by their ids. A person reads their names, also in the rules that passed.
    const heading = page.getByRole('heading', { name: 'Why you are asked' });
    const why = await page.locator('section').filter({ has: heading }).textContent();
    expect(why).toContain(nameOf(weak));
    expect(why).not.toMatch(new RegExp(`${weak}|${strong}`));
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);

    await page.getByRole('button', { name: 'Edit' }).click();
    const amount = page.getByRole('textbox', { name: 'Amount' });
    expect(await amount.inputValue()).toBe('180.00');
    const send = page.getByRole('button', { name: /^Approve and move .+ as changed$/ });
    for (const [typed, fault] of [
      ['150.505', 'Write at most 2 digits after the point.'],
      ['half of it', 'Write an amount such as 300, 300.50 or 1,300.50.'],
      ['-150', 'Write an amount such as 300, 300.50 or 1,300.50.'],
      ['0', 'Write more than EUR 0.00.'],
      ['', 'This is needed.'],
    ] as const) {
      await amount.fill(typed);
      await page.getByText(fault).waitFor();
      expect(await amount.getAttribute('aria-invalid')).toBe('true');
      expect(await send.isDisabled()).toBe(true);
      expect(await drawing.count()).toBe(0);
    }
    expect(await objections(page)).toEqual([]);
    await amount.fill('150,50');
    await drawing.waitFor();
    expect((await figureOf(page, nameOf(weak))).bars).toEqual([
      ['now', 'EUR 600.00', 100],
      ['then', 'EUR 449.50', 75],
    ]);
    await page.getByText('Checking the change against the rules').waitFor({ state: 'detached' });
    await send.click();
    await verdict(page, 'Approved').getByText('Done: it was carried out.').waitFor({ timeout: 60_000 });
    expect(on.visitor.eventsOf('ReviewDecided', ({ subject }) => subject.id === card.proposalId)).toMatchObject([
      { decision: 'edit', action: { payload: { amountMinor: 15_050, currency: 'EUR' } } },
    ]);
    const { campaigns } = await on.visitor.sandbox<{ campaigns: { campaignId: string; dailyBudgetMinor: number }[] }>(
      'ads/campaigns',
    );
    const budgetOf = (id: string) => campaigns.find(({ campaignId }) => campaignId === id)?.dailyBudgetMinor;
    expect([budgetOf(weak), budgetOf(strong)]).toEqual([44_950, 55_050]);
  },
);

test('the card of a mail marks the words that are filled in when it is sent, and that of an advertisement shows it as people will see it', async () => {
  const [message] = await waiting(on.visitor, 1);
  const { page } = await on.enter();
  const address = `/reviews/${message?.proposalId}`;
  await page.goto(address);
  const mail = page.getByRole('region', { name: 'The mail' });
  await mail.getByText('the address is filled in when it is sent').waitFor();
  const placeholders =
    `${message?.action.payload.subject} ${message?.action.payload.body}`.match(/\{\{[^}]+\}\}/g) ?? [];
  expect(placeholders.length).toBeGreaterThan(0);
  const marks = mail.locator('mark[title="Filled in when it is sent"]');
  expect(await marks.allTextContents()).toEqual(
    placeholders.map((text) => text.slice(2, -2).replace('.', ' ').replace('firstName', 'first name')),
  );
  expect(await mail.textContent()).not.toMatch(/[{}]/);

  // No shipped play publishes one, so the console's answer is that of a play that does.
  await page.route(`**/v1/reviews/${message?.proposalId}`, async (route) => {
    const response = await route.fetch();
    const { action, facts, ...card } = (await response.json()) as { action: object; facts: object };
    const payload = {
      ...{ adAccountId: 'ads-1', campaignId: 'cmp-1', creativeId: 'one', headline: 'Compare in an hour' },
      ...{ body: 'Side by side.\nWith costs.', url: 'https://www.example.com/guide?from=ad' },
    };
    const campaigns = [{ campaignId: 'cmp-1', name: 'Autumn' }];
    const json = {
      ...card,
      action: { ...action, kind: 'ads.publish_creative', payload },
      facts: { ...facts, campaigns },
    };
    await route.fulfill({ response, json });
  });
  await page.reload();
  const advertisement = page.getByRole('region', { name: 'The advertisement' });
  await advertisement.waitFor();
  expect(await advertisement.locator(':scope > div > *').allTextContents()).toEqual([
    expect.stringMatching(/^In .*Autumn/),
    'Compare in an hour',
    'Side by side.\nWith costs.',
    'Leads to https://www.example.com/guide?from=ad',
  ]);
  expect(await advertisement.getByRole('link').count()).toBe(0);
  expect(await objections(page)).toEqual([]);
});

test('an open card says of when the rules would let it through, and at once that consent was withdrawn meanwhile', async () => {
  const [message] = await waiting(on.visitor, 1);
  const accountId = message?.action.accountId as string;
  const { page } = await on.enter();
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/dry-run')) asked.push(request.url());
  });
  await page.goto(`/reviews/${message?.proposalId}`);
  await page.getByText(/The rules would let it through \(as of \d\d:\d\d:\d\d\)/).waitFor();
  await page.getByRole('columnheader', { name: 'Now' }).waitFor();
  const against = page.getByRole('alert').filter({ hasText: 'If you approve it now, it is refused' });
  expect(await against.count()).toBe(0);
  // From here on what others do is told.
  await page.getByText(/^as of /).waitFor();
  expect(asked).toHaveLength(1);
  await page.getByRole('button', { name: 'Ask the rules again' }).click();
  await expect.poll(() => asked.length, { timeout: 10_000 }).toBe(2);
  await page.getByText(/The rules would let it through \(as of \d\d:\d\d:\d\d\)/).waitFor();
  const withdrawals = [1, 2, 3].map((n) =>
    signal('crm', 'ConsentChanged', {
      contact: { ref: `crm:${accountId}-${n}` },
      ...{ purpose: 'sales', channel: 'email', status: 'withdrawn' },
    }),
  );
  await on.visitor.accepted('crm', withdrawals);
  await against.getByText(/this person .*\(rule consent\)/i).waitFor();
  await page.getByText(/The rules would refuse it \(as of \d\d:\d\d:\d\d\)/).waitFor();
  expect(await page.getByRole('status').filter({ hasText: 'Approved' }).count()).toBe(0);
  expect(await objections(page)).toEqual([]);
  // What changed is told by the console, not looked for: so few questions, however long the card is open.
  expect(asked.length).toBeLessThan(6);
  const { out, code } = await on.visitor.cli('review', 'dry-run', message?.proposalId as string);
  expect(out).toContain('The rules would refuse it at this moment');
  expect(code).toBe(1);
  // The button promises no more than it can, and the loss is said before it happens.
  expect(await page.getByRole('button', { name: /^Approve and / }).count()).toBe(0);
  await page.getByRole('button', { name: 'Approve all the same' }).click();
  const doubt = page.getByRole('dialog', { name: 'Approve it all the same?' });
  await doubt.getByText('cannot be approved later. Wait until the rules let it through, change it, or').waitFor();
  await doubt.getByRole('button', { name: 'Yes, approve it' }).click();
  const refused = verdict(page, 'Refused: nothing runs');
  await refused.getByText('If the action is still wanted, wait for a new proposal').waitFor();
  expect(await sentTo(message?.action.payload.contactId)).toEqual([]);
});

/** The first and the last line of the screen that an element takes, in pixels. */
async function linesOf(element: Locator): Promise<{ top: number; bottom: number }> {
  const { y = 0, height = 0 } = (await element.boundingBox()) ?? {};
  return { top: y, bottom: y + height };
}

test('on a phone the answers take little of the screen, and the result is in sight wherever the answer was given', async () => {
  const [fromTop, fromEnd] = await waiting(on.visitor, 2);
  const { page } = await on.enter({ on: 'phone' });
  for (const [message, scrolls] of [
    [fromTop, false],
    [fromEnd, true],
  ] as const) {
    await page.goto(`/reviews/${message?.proposalId}`);
    await page.getByText(/^The rules would let it through/).waitFor();
    const answers = await linesOf(page.locator('.answer-bar'));
    expect(answers.bottom - answers.top).toBeLessThan(screens.phone.viewport.height / 6);
    if (scrolls) await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    await page.getByRole('button', { name: /^Approve and / }).click();
    const result = verdict(page, 'Approved');
    await result.getByText('Done: it was carried out.').waitFor({ timeout: 60_000 });
    const seen = await linesOf(result);
    expect(seen.top).toBeGreaterThan(0);
    expect(seen.bottom).toBeLessThanOrEqual(screens.phone.viewport.height);
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  }
});

test('the button that asks the rules again is busy only after it was pressed, and the question that is under way answers it too', async () => {
  const [message] = await waiting(on.visitor, 1);
  const { page } = await on.enter();
  const held: Route[] = [];
  let holds = true;
  await page.route('**/dry-run', async (route) => {
    if (holds) held.push(route);
    else await route.continue();
  });
  const letGo = async (): Promise<void> => {
    holds = false;
    for (const route of held.splice(0)) await route.continue();
  };
  await page.goto(`/reviews/${message?.proposalId}`);
  const again = page.getByRole('button', { name: 'Ask the rules again' });
  const isBusy = () => again.getAttribute('data-loading');
  await page.getByText('Asking what the rules say at this moment').waitFor();
  // At the first message of the stream the page reads everything again.
  await page.getByText(/^as of /).waitFor();
  await expect.poll(() => held.length, { timeout: 10_000 }).toBeGreaterThan(0);
  expect(await isBusy()).toBe(null);
  const asked = held.length;
  await again.click();
  await expect.poll(isBusy).toBe('true');
  expect(held).toHaveLength(asked);
  await letGo();
  await page.getByText(/^The rules would let it through/).waitFor();
  await expect.poll(isBusy).toBe(null);

  holds = true;
  await again.click();
  await expect.poll(isBusy).toBe('true');
  await letGo();
  await expect.poll(isBusy).toBe(null);
});

/** The stream of changes in the page's own time. Each page has a clock that the test moves, and the console's stream keeps another. */
const streamInPageTime = `window.EventSource = class extends EventTarget {
  CLOSED = 2;
  readyState = 1;
  constructor() {
    super();
    const tell = () => this.dispatchEvent(new MessageEvent('alive', { data: JSON.stringify({ at: new Date().toISOString() }) }));
    setTimeout(tell, 0);
    this.timer = setInterval(tell, 5_000);
  }
  close() {
    clearInterval(this.timer);
  }
};`;

test('an open card asks the rules again every minute, not while nobody uses the page, and at once when somebody does', async () => {
  const [message] = await waiting(on.visitor, 1);
  const { page } = await on.enter();
  let asked = 0;
  // At first the rules let it through, and later they would refuse it. Nothing announces that.
  let refuses = false;
  await page.route('**/dry-run', async (route) => {
    asked++;
    const verdict = { outcome: 'refused', reasons: [{ rule: 'send-rate', detail: `question ${asked}` }] };
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...((await response.json()) as object), ...(refuses && verdict) } });
  });
  await page.clock.install();
  await page.addInitScript({ content: streamInPageTime });
  await page.goto(`/reviews/${message?.proposalId}`);
  const letsThrough = page.getByText(/The rules would let it through \(as of \d\d:\d\d:\d\d\)/);
  await letsThrough.waitFor();
  await settled(page);
  const pass = async (seconds: number): Promise<void> => {
    // A step at a time, so that each answer comes before the page gives it up.
    for (let left = seconds; left > 0; left -= 15) await page.clock.runFor(Math.min(left, 15) * 1_000);
    await settled(page);
  };
  await page.mouse.move(100, 100);
  const before = asked;
  refuses = true;
  await pass(40);
  expect(asked).toBe(before);
  await pass(30);
  expect(asked).toBe(before + 1);
  await page.getByText(`Question ${asked} (rule send-rate)`).waitFor();
  await pass(60);
  expect(asked).toBe(before + 2);
  await page.getByText(`Question ${asked} (rule send-rate)`).waitFor();

  // Five minutes after the last movement nobody reads it any more.
  await pass(190);
  const unused = asked;
  for (let minutes = 0; minutes < 15; minutes += 5) await page.clock.fastForward(5 * 60_000);
  await settled(page);
  expect(asked).toBe(unused);
  await page.mouse.move(200, 200);
  await page.getByText(`Question ${unused + 1} (rule send-rate)`).waitFor();
  await pass(70);
  expect(asked).toBe(unused + 2);
});

test('a stop that covers an open card is said there at once, with what an approval comes to, and the end of the stop too', async () => {
  const [message, other] = await waiting(on.visitor, 2);
  const account = message?.action.accountId as string;
  const { page } = await on.enter();
  const stopped = page.getByRole('alert').filter({ hasText: `stopped the account ${account}` });
  const approve = page.getByRole('button', { name: /^Approve and / });
  await page.goto(`/reviews/${message?.proposalId}`);
  await approve.waitFor();
  // From here on what others do is told.
  await page.getByText(/^as of /).waitFor();
  expect(await stopped.count()).toBe(0);
  const stop = await on.visitor.cli('stop', '--account', account, '--reason', 'they complained');
  try {
    expect(stop.out, stop.err).toContain('Confirmed by guardrail-validator');
    await stopped.getByText('they complained').waitFor();
    await stopped.getByText('If you approve it now, changed or not, it is refused').waitFor();
    await page.getByText(/^Stopped\. If you approve it now/).waitFor();
    expect(await objections(page)).toEqual([]);
    const allTheSame = page.getByRole('button', { name: 'Approve all the same' });
    await allTheSame.click();
    const doubt = page.getByRole('dialog', { name: 'Approve it all the same?' });
    await doubt
      .getByText('It would be refused now and cannot be approved later. Wait for the resume, or reject it.')
      .waitFor();
    expect(await objections(page)).toEqual([]);
    await doubt.getByRole('button', { name: 'Do not approve it now' }).click();
    await doubt.waitFor({ state: 'detached' });
    expect(on.visitor.eventsOf('ReviewDecided', ({ subject }) => subject.id === message?.proposalId)).toEqual([]);
    // The command line knows the same, and sends nothing without being told to.
    const { code, err } = await on.visitor.cli('review', 'approve', message?.proposalId as string);
    expect([code, err]).toEqual([1, expect.stringContaining('cannot be approved later. Wait for the resume, or')]);
    await allTheSame.click();
    await doubt.getByRole('button', { name: 'Yes, approve it' }).click();
    await verdict(page, 'Refused: nothing runs').getByText('have the stop ended first', { exact: false }).waitFor();
    expect(await stopped.count()).toBe(0);
    expect(await sentTo(message?.action.payload.contactId)).toEqual([]);
    await page.goto(`/reviews/${other?.proposalId}`);
    await stopped.waitFor();
    await page.getByText(/^as of /).waitFor();
  } finally {
    await on.visitor.cli('resume', '--account', account, '--reason', 'they agreed');
  }
  await stopped.waitFor({ state: 'detached' });
  await page.getByText('The rules are applied once more before it runs.').waitFor();
});

test('the keys go through the list, open a review and begin each of its answers, and send none', async () => {
  const cards = await waiting(on.visitor, 3);
  const account = cards[0]?.action.accountId as string;
  const { page } = await on.enter({ on: 'desktop' });
  // Cards of other tests may go meanwhile; these stay.
  await page.goto(`/reviews?account=${account}`);
  const links = page.locator('main ul.queue > li a');
  await expect.poll(() => links.count(), { timeout: 20_000 }).toBe(cards.length);
  const hrefs = await links.evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  const focused = (member: string) => page.evaluate<string | null>(`document.activeElement.getAttribute('${member}')`);
  const sent: string[] = [];
  page.on('request', (request) => {
    // To ask what the rules would say is no answer.
    if (request.method() !== 'GET' && !request.url().endsWith('/dry-run')) sent.push(request.url());
  });
  for (const [key, place] of [
    ['j', 0],
    ['j', 1],
    ['k', 0],
  ] as const) {
    await page.keyboard.press(key);
    await expect.poll(() => focused('href')).toBe(hrefs[place]);
  }
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${hrefs[0]}`);
  const approve = page.getByRole('button', { name: /^Approve and / });
  await approve.waitFor();

  await page.keyboard.press('e');
  await page.getByRole('region', { name: 'Change it' }).waitFor();
  await page.keyboard.press('r');
  const rejecting = page.getByRole('dialog', { name: 'Reject' });
  await rejecting.waitFor();
  await page.keyboard.press('Escape');
  await rejecting.waitFor({ state: 'detached' });
  await approve.waitFor();
  await page.keyboard.press('a');
  await expect.poll(() => focused('id')).toBe('approve');
  await page.keyboard.press('s');
  const stopping = page.getByRole('dialog', { name: 'Stop' });
  await stopping.waitFor();
  await page.keyboard.press('Escape');
  await stopping.waitFor({ state: 'detached' });

  expect(sent).toEqual([]);
  const ids = cards.map(({ proposalId }) => proposalId);
  expect(on.visitor.eventsOf('ReviewDecided', ({ subject }) => ids.includes(subject.id))).toEqual([]);
});
