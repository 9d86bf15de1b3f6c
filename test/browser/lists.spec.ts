import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { settled } from './looks.js';
import type { Screen } from './person.js';
import { stage } from './stage.js';
import { waiting } from './waiting.js';

/* Long lists: what is out of sight is not lost, neither for whoever uses the keyboard, nor for whoever searches or prints. */

const on = stage();
let story = '';
beforeAll(async () => {
  const [message] = await waiting(on.visitor, 1);
  story = `/stories/${message?.proposalId}`;
});

const step = (n: number): string => `Step number ${n} of it.`;

/** A story of so many steps, each of them as its first one is. */
async function openLong(page: Page, count: number): Promise<void> {
  await page.route(`**/v1${story}`, async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as { steps: object[] };
    const steps = Array.from({ length: count }, (_, n) => ({
      ...answer.steps[0],
      id: `step-${n + 1}`,
      detail: step(n + 1),
      provable: false,
    }));
    await route.fulfill({ response, json: { ...answer, steps } });
  });
  await page.goto(story);
  await settled(page);
  await page.getByText(step(1), { exact: true }).waitFor();
  await expect.poll(() => page.getByText('Checking against the record').count(), { timeout: 20_000 }).toBe(0);
}

const rows = (page: Page) => page.locator('main ol.story-steps > li');
const row = (page: Page, n: number) => rows(page).filter({ has: page.getByText(step(n), { exact: true }) });
const fold = (page: Page, n: number) => row(page, n).getByRole('button', { name: 'Facts and rules' });

const painted = (page: Page) =>
  page.evaluate<void>('new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(() => then())))');

/** Adds up what moves from now on, in `window.moved`. */
const watchShifts = `
  window.moved = 0;
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) window.moved += value;
  }).observe({ type: 'layout-shift' });`;

/** Scrolls until the step is there. */
async function goTo(page: Page, n: number, y: string): Promise<void> {
  const look = async () => {
    await page.evaluate(`window.scrollTo(0, ${y})`);
    await painted(page);
    return row(page, n).count();
  };
  await expect.poll(look, { timeout: 20_000 }).toBe(1);
}

test('of a list of 150 only what is in sight is made; what was opened stays open, the focus stays, and all is printed', async () => {
  const { page } = await on.enter();
  await openLong(page, 150);
  expect(await rows(page).count()).toBeLessThan(50);
  await fold(page, 3).click();
  await fold(page, 3).focus();
  await goTo(page, 150, 'document.documentElement.scrollHeight');
  expect(await page.evaluate<string>(`document.activeElement.closest('ol > li')?.textContent ?? ''`)).toContain(
    step(3),
  );
  expect(await row(page, 4).count()).toBe(0);

  // Once the focus is elsewhere the row goes, and comes back as it was.
  await page.evaluate('document.activeElement.blur()');
  await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight / 2)');
  await expect.poll(() => row(page, 3).count(), { timeout: 20_000 }).toBe(0);
  await goTo(page, 3, '0');
  expect(await fold(page, 3).getAttribute('aria-expanded')).toBe('true');

  const printed = `(() => {
    window.dispatchEvent(new Event('beforeprint'));
    return document.querySelectorAll('main ol.story-steps > li').length;
  })()`;
  expect(await page.evaluate<number>(printed)).toBe(150);
  await page.evaluate(`window.dispatchEvent(new Event('afterprint'))`);
  await expect.poll(() => rows(page).count(), { timeout: 20_000 }).toBeLessThan(50);
});

test('of a list of 100 every row is there, and nothing moves while it is scrolled', async () => {
  const { page } = await on.enter({ on: 'phone' });
  await openLong(page, 100);
  expect(await rows(page).count()).toBe(100);
  expect(await row(page, 100).count()).toBe(1);
  await page.evaluate(watchShifts);
  const height = await page.evaluate<number>('document.documentElement.scrollHeight');
  for (const y of [...Array(Math.ceil(height / 500)).keys()].flatMap((n) => [n * 500, n * 500 + 250])) {
    await page.evaluate(`window.scrollTo(0, ${y})`);
    await painted(page);
  }
  expect(await page.evaluate<number>('window.moved')).toBeLessThan(0.001);
});

/** Keeps how many steps the page has, and whether their list says that more are coming, after each change of the page. */
const watchRows = `window.grown = [];
  new MutationObserver(() => {
    const list = document.querySelector('main ol.story-steps');
    const seen = list && list.children.length + (list.ariaBusy === 'true' ? ' and more' : '');
    if (seen && window.grown.at(-1) !== seen) window.grown.push(seen);
  }).observe(document, { subtree: true, childList: true, attributes: true });`;

test.each(['desktop', 'phone'] as Screen[])(
  'on a %s a list of 100 begins with the rows that fill the screen, and says that it is busy until it has the others',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    await page.addInitScript({ content: watchRows });
    await openLong(page, 100);
    await expect.poll(() => rows(page).count(), { timeout: 20_000 }).toBe(100);
    const grown = await page.evaluate<string[]>('window.grown');
    const counts = grown.map((seen) => Number.parseInt(seen, 10));
    expect(counts[0]).toBeGreaterThanOrEqual(5);
    expect(counts[0]).toBeLessThan(20);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(grown.at(-1)).toBe('100');
    expect(grown.slice(0, -1).filter((seen) => !seen.endsWith(' and more'))).toEqual([]);
  },
);

/** A list that is read page by page, with rows like the first one of the console, or like `row`. */
interface Growing {
  readonly address: string;
  readonly api: string;
  readonly member: string;
  /** The member of a row that is its key. */
  readonly id: string;
  readonly size: number;
  readonly button: string;
  readonly row?: object;
}
const at = '2026-11-21T10:00:00.000Z';
const lists: readonly Growing[] = [
  {
    ...{ address: '/agents/sequencing-agent', api: '**/v1/agents/sequencing-agent/actions*', member: 'actions' },
    ...{ id: 'proposalId', size: 50, button: 'Show older ones' },
  },
  { address: '/people', api: '**/v1/people?*', member: 'people', id: 'contactId', size: 100, button: 'Show more' },
  {
    ...{
      address: '/runbook/replay',
      api: '**/v1/dead-letters?*',
      member: 'deadLetters',
      id: 'deadLetterId',
      size: 100,
    },
    button: 'Show older ones',
    row: {
      ...{
        service: 'orchestrator',
        topic: 'tasks.declined.v1',
        partition: 0,
        offset: '1',
        type: 'TaskDeclined',
        job: null,
      },
      ...{ fault: { code: 'x', detail: 'it could not be handled' }, failedAgain: null, attempts: 3, at, state: 'open' },
      ...{ replayedBy: null, replayNote: null, replayedAt: null, endedAt: null },
    },
  },
  {
    ...{ address: '/runbook/hand-back', api: '**/v1/settlements?*', member: 'unresolved', id: 'permitId', size: 100 },
    button: 'Show more',
    row: {
      ...{ actionId: 'a', proposalId: 'p', executor: 'action-executor', connector: 'ads', detail: null, at },
      ...{ outcome: 'unresolved', decision: null },
    },
  },
];
const pages = 5;

async function openGrowing(page: Page, { address, api, member, id, size, row: given }: Growing): Promise<void> {
  await page.route(api, async (route) => {
    const first = new URL(route.request().url());
    const n = Number(first.searchParams.get('before') ?? first.searchParams.get('cursor') ?? 0);
    for (const cursor of ['before', 'cursor']) first.searchParams.delete(cursor);
    const response = await route.fetch({ url: first.href });
    const answer = (await response.json()) as Record<string, object[]>;
    const rows = Array.from({ length: size }, (_, place) => ({
      ...(given ?? answer[member]?.[0]),
      [id]: `row-${n * size + place}`,
    }));
    await route.fulfill({ response, json: { ...answer, [member]: rows, next: n + 1 < pages ? String(n + 1) : null } });
  });
  await page.goto(address);
  await settled(page);
}

test.each(lists)(
  'however often more of $address is asked for, only what is in sight is made, and nothing moves',
  async (list) => {
    const { page } = await on.enter({ on: 'phone' });
    await openGrowing(page, list);
    const { size } = list;
    const listed = page.locator('main li[data-row]');
    const nth = (n: number) => page.locator(`main li[data-row="row-${n}"]`);
    await expect.poll(() => listed.count(), { timeout: 20_000 }).toBe(size);
    const button = page.getByRole('button', { name: list.button });
    for (let n = 1; n < pages; n++) {
      const last = nth(n * size - 1);
      await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)');
      await last.waitFor();
      await button.scrollIntoViewIfNeeded();
      await painted(page);
      const before = await last.boundingBox();
      await last.evaluate((element) => element.setAttribute('id', 'as-it-was'));
      await button.click();
      await nth(n * size).waitFor({ state: 'attached' });
      await painted(page);
      // The row above is the same element, at the same place.
      expect(await last.getAttribute('id')).toBe('as-it-was');
      expect(Math.abs(((await last.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);
      await last.evaluate((element) => element.removeAttribute('id'));
      expect(await listed.count()).toBeLessThanOrEqual(100);
      if ((n + 1) * size > 100) expect(await listed.count()).toBeLessThan(50);
    }
    // Who listens hears how long the list is, in the order on the screen.
    const places = await listed.evaluateAll((all) => all.map((row) => Number(row.getAttribute('aria-posinset'))));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(await listed.first().getAttribute('aria-setsize')).toBe(String(pages * size));
    await page.evaluate(watchShifts);
    for (const part of [0.2, 0.5, 0.8, 0.3]) {
      await page.evaluate(`window.scrollTo(0, document.documentElement.scrollHeight * ${part})`);
      await painted(page);
    }
    expect(await page.evaluate<number>('window.moved')).toBeLessThan(0.001);
  },
);

test('the keyboard goes through a list that has grown row by row, and what has the focus stays', async () => {
  const { page } = await on.enter();
  const [list] = lists as [Growing];
  await openGrowing(page, list);
  const nth = (n: number) => page.locator(`main li[data-row="row-${n}"]`);
  for (let n = 1; n < pages; n++) {
    await page.getByRole('button', { name: list.button }).click();
    await nth(n * list.size).waitFor({ state: 'attached' });
  }
  const here = async () =>
    Number(
      (await page.evaluate<string>(`document.activeElement.closest('li')?.dataset.row ?? ''`)).replace('row-', ''),
    );
  await page.evaluate('window.scrollTo(0, 0)');
  const seek = async () => {
    await page.evaluate('window.scrollBy(0, 300)');
    await painted(page);
    return nth(list.size).count();
  };
  await expect.poll(seek, { timeout: 60_000, interval: 1 }).toBe(1);
  await nth(list.size).getByRole('link').first().focus();
  const passed = [await here()];
  while ((passed.at(-1) as number) < list.size + 20) {
    await page.keyboard.press('Tab');
    await painted(page);
    const place = await here();
    if (place !== passed.at(-1)) passed.push(place);
    expect(passed.length).toBeLessThan(30);
  }
  expect(passed).toEqual(Array.from({ length: 21 }, (_, n) => list.size + n));
  await page.evaluate('window.scrollTo(0, 0)');
  await painted(page);
  expect(await here()).toBe(list.size + 20);
});

test.each(['desktop', 'phone'] as Screen[])(
  'on a %s whoever comes back to a list sees the row from which they left',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    const [list] = lists as [Growing];
    await openGrowing(page, { ...list, size: 90 });
    const row = page.locator('main li[data-row="row-75"]');
    await row.scrollIntoViewIfNeeded();
    await painted(page);
    const before = await row.boundingBox();
    await row.getByRole('link', { name: /^Its story/ }).click();
    await page.getByRole('link', { name: 'All stories' }).waitFor();
    await page.goBack();
    await row.waitFor();
    await settled(page);
    await expect.poll(async () => Math.round((await row.boundingBox())?.y ?? 0)).toBe(Math.round(before?.y ?? 0));
  },
);

test.each(['/reviews', '/stories'])('what is new in %s is said, and moves nothing', async (address) => {
  const { page } = await on.enter({ on: 'phone' });
  await page.goto(address);
  await settled(page);
  await page.getByText(/^as of /).waitFor();
  const first = page.locator('main ul.queue > li').first();
  const before = await first.boundingBox();
  await waiting(on.visitor, 1);
  await page.getByRole('button', { name: /^\d+ new$/ }).waitFor({ timeout: 30_000 });
  expect((await first.boundingBox())?.y).toBe(before?.y);
});
