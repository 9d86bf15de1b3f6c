import type { Page, Route } from 'playwright-core';
import { expect, test } from 'vitest';
import { objections, settled, tooWide } from './looks.js';
import { screens } from './person.js';
import { stage } from './stage.js';

const on = stage();
const proofs = '**/v1/proofs/inclusion*';

/** Opens the newest story that was refused, as somebody would who wants to know why. */
async function openRefused(page: Page): Promise<void> {
  await page.goto('/stories');
  await page
    .getByRole('textbox', { name: 'Outcome' })
    .or(page.getByRole('combobox', { name: 'Outcome' }))
    .first()
    .click();
  await page.getByRole('option', { name: 'Refused', exact: true }).click();
  const first = page.locator('.queue > li').first();
  await first.getByText('Refused', { exact: true }).waitFor();
  await first.getByRole('link').click();
  await page.getByText('Why it was refused').waitFor();
}

test.each(Object.keys(screens) as (keyof typeof screens)[])(
  'on a %s somebody finds out why an action was refused, and the browser proves each step against the record',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    await openRefused(page);
    await page.getByText(/^(\d+) of \1 steps are in the record$/).waitFor({ timeout: 60_000 });
    const badges = page.locator('.story-steps > li');
    expect(await badges.count()).toBeGreaterThan(2);
    for (const step of await badges.all())
      await step.getByText(/^In the record at entry [\d,]+, checkpoint of [\d,]+ entries$/).waitFor();
    // The verdict's own rules and facts, out of the bytes that were proved.
    const verdict = badges.filter({ hasText: /Refused: / }).first();
    await verdict.getByRole('button', { name: 'Facts and rules' }).click();
    await verdict
      .getByText(/refuses$/)
      .first()
      .waitFor();
    await verdict.getByText(/actions\.refused\.v1, partition \d+, offset \d+/).waitFor();
    await page.getByRole('button', { name: 'What this shows' }).click();
    await page.getByText(/computed their place in the log/).waitFor();
    await settled(page);
    expect(await objections(page)).toEqual([]);
    expect(await tooWide(page)).toEqual([]);
  },
);

/** Answers as the record does, with one character of one hash changed. */
async function flipped(route: Route): Promise<void> {
  const response = await route.fetch();
  const body = (await response.json()) as { proof: string[] };
  const [first = '', ...rest] = body.proof;
  const proof = [`${first.startsWith('A') ? 'B' : 'A'}${first.slice(1)}`, ...rest];
  await route.fulfill({ response, json: { ...body, proof } });
}

test('a wrong proof, and a record that does not answer, are said to be that; nothing is called proved', async () => {
  const { page } = await on.enter();
  await page.route(proofs, flipped);
  await openRefused(page);
  await page.getByText(/^\d+ of \d+ proofs are wrong$/).waitFor({ timeout: 60_000 });
  expect(await page.getByText(/In the record at entry/).count()).toBe(0);

  await page.unroute(proofs);
  await page.route(proofs, (route) => route.abort());
  await page.reload();
  await page.getByText(/^0 of \d+ steps are in the record$/).waitFor({ timeout: 60_000 });
  await page
    .getByText(/does not answer this browser/)
    .first()
    .waitFor();
});

test('a story is found by the first characters of its id; another search says what to do', async () => {
  const { page } = await on.enter();
  await openRefused(page);
  const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  await page.goto('/stories');
  await page.getByRole('searchbox', { name: 'Find a story' }).waitFor();
  await page.keyboard.press('/');
  await page.locator('input[type="search"]:focus').waitFor();
  await page.keyboard.type(id.slice(0, 13));
  await page.keyboard.press('Enter');
  await page.locator(`a[href="/stories/${id}"]`).waitFor();
  await page.getByRole('searchbox', { name: 'Find a story' }).fill('no such thing');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByRole('heading', { name: 'Nothing was found with this name' }).waitFor();
});

test('the key of the search finds a story from every page, and the list of keys says so', async () => {
  const { page } = await on.enter();
  const search = page.locator('input[type="search"]:focus');
  for (const address of ['/', '/record', '/runbook/stop']) {
    await page.goto(address);
    await settled(page);
    await page.keyboard.press('/');
    await search.waitFor();
    expect(new URL(page.url()).pathname).toBe('/stories');
    await page.keyboard.type('a/b');
    expect(await search.inputValue()).toBe('a/b');
  }
  // Who opens the page otherwise does not begin in the search.
  await page.goto('/record');
  await settled(page);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Stories' }).click();
  await page.getByRole('searchbox', { name: 'Find a story' }).waitFor();
  expect(await search.count()).toBe(0);
  await page.goto('/record');
  await settled(page);
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await dialog.getByRole('row', { name: '/ find a story' }).waitFor();
  // In a dialog a letter is a letter.
  await page.keyboard.press('/');
  expect(new URL(page.url()).pathname).toBe('/record');
});

test.each(Object.keys(screens) as (keyof typeof screens)[])(
  'on a %s the browser verifies that the record still begins with what it signed',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    await page.goto('/record');
    await page.getByRole('button', { name: 'Verify now' }).click();
    await page.getByText(/^\d+ checkpoints verified$/).waitFor({ timeout: 60_000 });
    await settled(page);
    expect(await objections(page)).toEqual([]);
    expect(await tooWide(page)).toEqual([]);
  },
);
