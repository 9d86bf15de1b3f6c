import { expect, test } from 'vitest';
import { oneTimeLink, screens } from './person.js';
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

test('who signs in beside a page sees nothing that the one before began to write, and a session that is over can be signed out of', async () => {
  const [message] = await waiting(on.visitor, 1);
  const { page, context } = await on.stranger();
  await page.goto(await oneTimeLink(on.installed));
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
  await beside.goto(await oneTimeLink(on.installed, on.installed.colleagueToken));
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
