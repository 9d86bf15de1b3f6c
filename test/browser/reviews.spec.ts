import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { signal } from '../flows/signals.js';
import { objections, settled } from './looks.js';
import type { Screen } from './person.js';
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
  await page.getByText('Asking what the rules say of it').waitFor({ state: 'detached' });
  expect(await objections(page)).toEqual([]);
  await page.getByRole('button', { name: 'Approve the changed version' }).click();
  await page
    .getByRole('status')
    .filter({ hasText: /Reading what became|Waiting for the verdict/ })
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
  for (let pages = 1; (await more.count()) > 0; pages++) {
    await more.click();
    await expect.poll(howMany, { timeout: 20_000 }).toBeGreaterThan(size * pages);
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
  await page.getByText(/^Limits, as counted at /).waitFor();
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
  await page.getByRole('button', { name: /^Approve and / }).click();
  await verdict(page, 'Refused all the same').waitFor();
  expect(await sentTo(message?.action.payload.contactId)).toEqual([]);
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
    await approve.click();
    await verdict(page, 'Refused all the same').waitFor();
    expect(await stopped.count()).toBe(0);
    expect(await sentTo(message?.action.payload.contactId)).toEqual([]);
    await page.goto(`/reviews/${other?.proposalId}`);
    await stopped.waitFor();
    await page.getByText(/^as of /).waitFor();
  } finally {
    await on.visitor.cli('resume', '--account', account, '--reason', 'they agreed');
  }
  await stopped.waitFor({ state: 'detached' });
  await page.getByText('They are applied once more before it runs.').waitFor();
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
