import { expect, test } from 'vitest';
import { oneTimeLink, screens } from './person.js';
import { stage } from './stage.js';

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
