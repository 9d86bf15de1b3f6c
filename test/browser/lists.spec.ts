import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { settled } from './looks.js';
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
  await page.evaluate(`
    window.moved = 0;
    new PerformanceObserver((list) => {
      for (const { value } of list.getEntries()) window.moved += value;
    }).observe({ type: 'layout-shift' });`);
  const height = await page.evaluate<number>('document.documentElement.scrollHeight');
  for (const y of [...Array(Math.ceil(height / 500)).keys()].flatMap((n) => [n * 500, n * 500 + 250])) {
    await page.evaluate(`window.scrollTo(0, ${y})`);
    await painted(page);
  }
  expect(await page.evaluate<number>('window.moved')).toBeLessThan(0.001);
});

test('a list that becomes longer than what is made at once keeps the rows that were there', async () => {
  const { page } = await on.enter();
  await page.route('**/v1/agents/sequencing-agent/actions*', async (route) => {
    const first = new URL(route.request().url());
    const older = first.searchParams.has('before');
    first.searchParams.delete('before');
    const response = await route.fetch({ url: first.href });
    const answer = (await response.json()) as { actions: object[] };
    const actions = Array.from({ length: 60 }, (_, n) => ({
      ...answer.actions[0],
      proposalId: `action-${older}-${n}`,
    }));
    await route.fulfill({ response, json: { ...answer, actions, next: older ? null : 'older' } });
  });
  await page.goto('/agents/sequencing-agent');
  const actions = page.locator('main ul.rows > li');
  await expect.poll(() => actions.count(), { timeout: 20_000 }).toBe(60);
  await page.evaluate(`document.querySelector('main ul.rows > li').id = 'as-it-was'`);
  await page.getByRole('button', { name: 'Show older ones' }).click();
  await expect.poll(() => actions.count(), { timeout: 20_000 }).toBe(120);
  expect(await actions.first().getAttribute('id')).toBe('as-it-was');
});

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
