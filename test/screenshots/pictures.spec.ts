import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settled } from '../browser/looks.js';
import { stage } from '../browser/stage.js';

/* `npm run screenshots`: pictures of the pages for README and docs, from the sample. It is no part of npm test. */

const on = stage();
const folder = join(import.meta.dirname, '../../docs/screenshots');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

/** By the name of the picture: its page, as a person comes to it from the menu. */
const pictures = [
  { name: 'now', screen: 'desktop', colorScheme: 'light', address: '/' },
  { name: 'review', screen: 'phone', colorScheme: 'light', address: '/reviews', click: 'main a[href*="/reviews/"]' },
  { name: 'reviews', screen: 'desktop', colorScheme: 'light', address: '/reviews' },
  { name: 'story', screen: 'desktop', colorScheme: 'light', address: '/stories?outcome=refused', click: '.queue a' },
  { name: 'agent', screen: 'desktop', colorScheme: 'light', address: '/agents/paid-media-agent' },
  { name: 'plays', screen: 'phone', colorScheme: 'dark', address: '/plays' },
  { name: 'policy', screen: 'desktop', colorScheme: 'dark', address: '/policy' },
  { name: 'sources', screen: 'desktop', colorScheme: 'light', address: '/sources' },
  { name: 'people', screen: 'phone', colorScheme: 'light', address: '/people' },
  { name: 'record', screen: 'desktop', colorScheme: 'light', address: '/record' },
  { name: 'runbook', screen: 'phone', colorScheme: 'dark', address: '/runbook' },
  { name: 'stop', screen: 'phone', colorScheme: 'dark', address: '/', click: 'header button:has-text("Stop")' },
] as const;

test.each(pictures)('$name, on a $screen in $colorScheme', async ({ name, screen, colorScheme, address, ...more }) => {
  const { page } = await on.enter({ on: screen, colorScheme, deviceScaleFactor: 1 });
  await page.goto(address);
  await settled(page);
  if ('click' in more) {
    await page.locator(more.click).first().click();
    await settled(page);
  }
  // A proof that is being computed would be another picture each time.
  if (name === 'story') await page.getByText(/^(\d+) of \1 steps are in the record$/).waitFor({ timeout: 60_000 });
  const picture = await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  expect(picture.length, `${name}.png in bytes`).toBeLessThan(150_000);
});
