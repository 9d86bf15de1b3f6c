import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { objections, settled } from './looks.js';
import { stage } from './stage.js';
import { waiting } from './waiting.js';

/* A reading that fails is never silent: the page says what is not known and why, and what a person can still do. */

const on = stage();
let message: Awaited<ReturnType<typeof waiting>>[number];
beforeAll(async () => {
  [message] = (await waiting(on.visitor, 1, 'Lumen Health')) as [typeof message];
});

const instant = /\d{4}-\d\d-\d\dT\d\d:\d\d/;
/** As the console words a limit: with the time in UTC. */
const again = '2026-11-21T10:00:30.000Z';
const tooMany = {
  status: 429,
  contentType: 'application/problem+json',
  body: JSON.stringify({ status: 429, title: 'Too many', detail: `you have asked too often. Ask again at ${again}` }),
};
/** The readers of these tests are in Berlin. */
const inBerlin = /You have asked too often\. Ask again at .*11:00/;

const refuse = (page: Page, address: string) => page.route(address, (route) => route.fulfill(tooMany));
const alerts = (page: Page) => page.getByRole('alert').filter({ hasText: inBerlin });

test('the stop dialog says what it could not read, and an agent can be named and stopped all the same', async () => {
  const { page } = await on.enter();
  for (const address of ['**/v1/policies', '**/v1/queue?*', '**/v1/controls?*']) await refuse(page, address);
  await page.goto('/people');
  await settled(page);
  // That nothing is stopped is not known either.
  await page
    .getByRole('banner')
    .getByRole('link', { name: /^Stops unknown/ })
    .waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Stop' });
  await dialog.getByText('How much this reaches is not known now.', { exact: false }).waitFor();
  await dialog.getByText('What is stopped now is not known.', { exact: false }).waitFor();
  expect(await dialog.getByRole('alert').filter({ hasText: inBerlin }).count()).toBe(2);
  await dialog.getByLabel('What to stop').click();
  await page.getByRole('option', { name: 'One agent' }).click();
  await expect.poll(() => dialog.getByRole('alert').filter({ hasText: inBerlin }).count()).toBe(2);
  await dialog.getByLabel('Which agent').fill('paid-media-agent');
  await dialog.getByLabel('Why').fill('a test');
  await expect.poll(() => dialog.getByRole('alert').filter({ hasText: inBerlin }).count()).toBe(3);
  expect(await dialog.getByRole('button', { name: 'Stop the agent paid-media-agent' }).isEnabled()).toBe(true);
  expect(await dialog.textContent()).not.toMatch(instant);
  expect(await objections(page)).toEqual([]);
});

test('a guide says that it cannot count or list, and does not say that nothing is there', async () => {
  const { page } = await on.enter();
  await page.goto('/runbook/drain');
  await page.getByRole('region', { name: 'Step 1:' }).getByLabel('Agent').click();
  await refuse(page, '**/v1/queue?*');
  await page.getByRole('option', { name: 'paid-media-agent' }).click();
  const last = page.getByRole('region', { name: 'Step 4:' });
  await last.getByRole('alert').filter({ hasText: inBerlin }).waitFor();
  expect(await last.getByText('Counting').count()).toBe(0);
  await page.unroute('**/v1/queue?*');
  await refuse(page, '**/v1/controls?*');
  await page.goto('/runbook/stop');
  const hold = page.getByRole('region', { name: 'Step 3:' });
  await hold.getByRole('alert').filter({ hasText: inBerlin }).waitFor();
  expect(await hold.getByText('No stop of', { exact: false }).count()).toBe(0);
  await refuse(page, '**/v1/now');
  for (const guide of ['stop', 'drain', 'gap']) {
    await page.goto(`/runbook/${guide}`);
    await alerts(page).first().waitFor();
  }
});

test('a card says why the verdict of the rules is not known, and when to ask again', async () => {
  const { page } = await on.enter({ on: 'phone' });
  await page.route('**/dry-run', (route) => route.fulfill(tooMany));
  await page.goto(`/reviews/${message.proposalId}`);
  const rules = page.locator('.rules-now');
  await rules.getByText('What the rules say at this moment is not known').waitFor();
  await rules.getByText(inBerlin).waitFor();
  expect(await page.locator('main').textContent()).not.toMatch(instant);
  expect(await objections(page)).toEqual([]);
});

test('the rules of a verdict in a story have the reader’s times, and no id of a person', async () => {
  const { page } = await on.enter();
  await page.goto(`/stories/${message.proposalId}`);
  const steps = page.locator('.story-steps > li');
  await steps.first().waitFor();
  for (const step of await steps.all()) await step.getByRole('button', { name: 'Facts and rules' }).click();
  const rules = steps.filter({ has: page.getByRole('heading', { name: 'Rules' }) });
  await rules.first().waitFor();
  const lines = (await rules.locator('li').allInnerTexts()).join('\n');
  expect(lines).toContain('agreed');
  expect(lines).not.toMatch(instant);
  expect(lines).not.toMatch(/contact [0-9a-f]{8}-/);
});

test('an installation without sources, and a day without spend, say what comes next', async () => {
  const { page } = await on.enter();
  await page.route('**/v1/sources', (route) => route.fulfill({ json: { at: again, sources: [] } }));
  await page.goto('/sources');
  await page.getByRole('heading', { name: 'There is no source' }).waitFor();
  await page.getByText('sources.yaml').waitFor();
  expect(await objections(page)).toEqual([]);
  await page.route('**/v1/now', async (route) => {
    const response = await route.fetch();
    const now = (await response.json()) as { spend: object };
    await route.fulfill({
      response,
      json: { ...now, spend: { ...now.spend, adAccounts: [], campaigns: [], agents: [] } },
    });
  });
  await page.goto('/');
  const spend = page.getByRole('region', { name: 'Spend of today' });
  await spend.getByText('Nothing is reserved or spent today.').waitFor();
  await spend.getByText('An amount appears here when', { exact: false }).waitFor();
  expect(await spend.getByRole('link', { name: 'Policy' }).getAttribute('href')).toBe('/policy');
  // The page reads this every few seconds.
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('reviews are filtered by the name of an account and of a play', async () => {
  const { page } = await on.enter();
  await page.goto('/reviews');
  await settled(page);
  await page
    .getByRole('combobox', { name: 'Account' })
    .or(page.getByRole('textbox', { name: 'Account' }))
    .first()
    .click();
  await page
    .getByRole('option', { name: /^Lumen Health/ })
    .first()
    .click();
  await page.waitForURL(/account=/);
  await page
    .getByRole('combobox', { name: 'Play' })
    .or(page.getByRole('textbox', { name: 'Play' }))
    .first()
    .click();
  const plays = await page.getByRole('option').allInnerTexts();
  expect(plays.length).toBeGreaterThan(0);
  expect(plays.filter((play) => !play.includes(' '))).toEqual([]);
});
