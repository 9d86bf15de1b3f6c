import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { consoleUrl, oneTimeLink, openLink, screens } from './person.js';
import { stage } from './stage.js';
import { waiting } from './waiting.js';

const on = stage();

test.each(Object.keys(screens) as (keyof typeof screens)[])(
  'on a %s a link signs in once, and signing out ends it',
  async (screen) => {
    const { page } = await on.stranger({ on: screen });
    await page.goto('/reviews');
    await page.getByRole('heading', { level: 1, name: 'Sign in to Countersign' }).waitFor();

    const link = await oneTimeLink(on.installed);
    const reviews = page.getByRole('heading', { level: 1, name: 'Reviews' });
    await page.goto(link);
    const menu = page.getByRole('navigation', { name: 'Pages' });
    // Where they wanted to go before they had a link.
    await reviews.waitFor();
    expect(new URL(page.url()).pathname).toBe('/reviews');
    // The code is in no history and on no screen.
    expect(page.url()).not.toContain('code');

    const other = await on.stranger({ on: screen });
    await other.page.goto(link);
    await other.page
      .getByRole('alert')
      .getByText(/used before or is too old/)
      .waitFor();
    await other.page.goto('/');
    await other.page.getByRole('heading', { level: 1, name: 'Sign in to Countersign' }).waitFor();

    await page.reload();
    await reviews.waitFor();
    if (screen === 'phone') await page.getByRole('button', { name: 'Open the menu' }).click();
    await menu.getByRole('button', { name: /Sign out/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Sign in to Countersign' }).waitFor();
    await page.goto('/reviews');
    await page.getByRole('heading', { level: 1, name: 'Sign in to Countersign' }).waitFor();
  },
);

/** Signs in at the provider, where anybody comes in by any name, and comes back to the console. */
async function throughProvider(page: Page, person: string): Promise<void> {
  await page.locator('input[name="login"]').fill(person);
  await page.locator('input[name="password"]').fill('x');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText(/^as of /).waitFor();
}

test.each([
  ['a page of the console', () => '/stories'],
  ['a link on another site', () => `${on.installed.providerUrl}/.well-known/openid-configuration`],
])('a sign-in at a provider of another site, begun from %s, ends the session that the browser had', async (_, from) => {
  const { page, context } = await on.stranger();
  await context.route(`${on.installed.providerUrl}/**`, (route) => route.continue());
  // The provider's own pages ask for a font; nothing of ours does.
  await context.route(/^https:\/\/fonts\.googleapis\.com\//, (route) => route.abort());
  await openLink(page, on.installed);
  await page.getByText(/^as of /).waitFor();
  const tokenOf = async () => (await context.cookies()).find(({ name }) => name === 'countersign')?.value;
  const before = await tokenOf();
  expect(before).toBeDefined();

  await page.goto(from());
  const went = page.waitForRequest(/\/v1\/sign-in\/oidc\/callback\?/);
  await page.evaluate<void>(
    `location.assign(${JSON.stringify(`${consoleUrl(on.installed)}/v1/sign-in/oidc?next=/stories`)})`,
  );
  await throughProvider(page, 'lea');
  expect(new URL(page.url()).pathname).toBe('/stories');
  // Why the console cannot go by the cookie of this request: its browser keeps it back.
  const { cookie = '' } = await (await went).allHeaders();
  expect(cookie).not.toMatch(/\bcountersign=/);

  const after = await tokenOf();
  expect(after).not.toBe(before);
  const session = (token?: string) =>
    fetch(`${consoleUrl(on.installed)}/v1/session`, { headers: { cookie: `countersign=${token}` } });
  expect((await session(after)).status).toBe(200);
  expect((await session(before)).status).toBe(401);
});

test('who signs in beside a page sees nothing that the one before began to write, and a session that is over can be signed out of', async () => {
  const [message] = await waiting(on.visitor, 1);
  const { page, context } = await on.stranger();
  await openLink(page, on.installed);
  await page.getByRole('heading', { level: 1, name: 'Now' }).waitFor();
  const endSession = async () => {
    const { csrfToken } = (await (await context.request.get('/v1/session')).json()) as { csrfToken: string };
    const ended = await context.request.delete('/v1/session', { headers: { 'x-csrf-token': csrfToken } });
    expect(ended.status()).toBe(204);
    await page.getByText('You are signed out').waitFor();
  };
  const draftCount = () =>
    page.evaluate<number>(`Object.keys(sessionStorage).filter((key) => key.startsWith('draft:')).length`);

  await page.goto(`/reviews/${message?.proposalId}`);
  const edit = page.getByRole('button', { name: 'Edit' });
  const note = page.getByRole('textbox', { name: 'Note' });
  await edit.click();
  await note.fill('for nobody else');
  await endSession();
  const beside = await context.newPage();
  await openLink(beside, on.installed, on.installed.colleagueToken);
  // This page hears of it, and of every change from then on.
  await page
    .getByRole('button', { name: /Sign out/ })
    .getByText('marc')
    .waitFor();
  await page.getByText(/^as of /).waitFor();
  await edit.click();
  expect(await note.inputValue()).toBe('');
  expect(await draftCount()).toBe(1);

  await endSession();
  await page.getByRole('button', { name: /Sign out/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in to Countersign' }).waitFor();
  expect(await draftCount()).toBe(0);
});
