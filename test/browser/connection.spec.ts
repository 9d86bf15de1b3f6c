import { type LossyWay, lossyWay } from '@countersign/testing';
import type { Locator, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { settled } from './looks.js';
import { consoleUrl, type Screen } from './person.js';
import { stage } from './stage.js';
import { approvedOnce, waiting } from './waiting.js';

/* On a train: the line falls silent, the page says that what it shows may be old, and catches up when the line is back. */

const on = stage();
let way: LossyWay | undefined;
afterEach(async () => {
  await way?.close();
  way = undefined;
});

/** The console by a line that can fall silent. */
async function byLossyWay(): Promise<LossyWay & { readonly baseURL: string }> {
  way = await lossyWay(consoleUrl(on.installed));
  return { ...way, baseURL: new URL(way.url).origin };
}

/** Goes down the list as a person does: a long list has only the rows in sight, and its later pages behind a button. */
async function scrolledTo(page: Page, row: Locator): Promise<void> {
  const older = page.getByRole('button', { name: 'Show more' });
  await expect
    .poll(
      async () => {
        await page.keyboard.press('End');
        if ((await row.count()) === 0 && (await older.isVisible())) await older.click();
        return row.count();
      },
      { timeout: 60_000, interval: 500 },
    )
    .toBe(1);
}

test.each<Screen>(['phone', 'desktop'])(
  'on a %s a lost connection is said, and what was missed is made up for',
  async (screen) => {
    const { baseURL, loseAll, mend } = await byLossyWay();
    const { page } = await on.enter({ on: screen, baseURL });
    await page.goto('/reviews');
    await settled(page);
    const lost = page.getByRole('status').filter({ hasText: 'No connection: this may be old' });
    await page.getByText(/^as of /).waitFor();
    expect(await lost.count()).toBe(0);

    loseAll();
    const [message] = await waiting(on.visitor, 1);
    await lost.waitFor({ timeout: 20_000 });
    const row = page.locator(`main a[href="/reviews/${message?.proposalId}"]`);
    expect(await row.count()).toBe(0);

    mend();
    // The browser may first try what it still believes to be open connections, one after the other.
    await page.getByText(/^as of /).waitFor({ timeout: 60_000 });
    expect(await lost.count()).toBe(0);
    // What came meanwhile waits behind a button, unless the list was empty.
    const more = page.getByRole('button', { name: /^\d+ new$/ });
    await more.or(row).first().waitFor({ timeout: 30_000 });
    if (await more.isVisible()) await more.click();
    await scrolledTo(page, row);
  },
);

test('an answer whose receipt is lost counts once, and the page finds out that it arrived', async () => {
  const [message] = await waiting(on.visitor, 1);
  const { baseURL, loseAnswerTo, silent } = await byLossyWay();
  const { page } = await on.enter({ baseURL });
  await page.goto(`/reviews/${message?.proposalId}`);
  const approve = page.getByRole('button', { name: /^Approve and / });
  await approve.waitFor();
  loseAnswerTo('"decision":"approve"');
  await approve.click();
  await page.getByText('You approved it').waitFor({ timeout: 60_000 });
  await approvedOnce(on.visitor, message?.proposalId);
  expect(silent()).toBe(1);
});

test('an answer that is given without a line goes out when its author says so, not by itself', async () => {
  const [message] = await waiting(on.visitor, 1);
  const id = message?.proposalId ?? '';
  const { page, context } = await on.enter();
  await page.goto(`/reviews/${id}`);
  const approve = page.getByRole('button', { name: /^Approve and / });
  await approve.waitFor();
  await context.setOffline(true);
  await approve.click();
  const again = page.getByRole('button', { name: 'Send the same answer again' });
  await again.waitFor();
  expect(await page.getByText('You approved it').count()).toBe(0);
  await context.setOffline(false);
  await page.getByText(/^as of /).waitFor({ timeout: 30_000 });
  expect(on.visitor.eventsOf('ReviewDecided', ({ subject }) => subject.id === id)).toEqual([]);
  await again.click();
  await page.getByText('You approved it').waitFor();
  await approvedOnce(on.visitor, id);
});
