import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settled } from '../browser/looks.js';
import type { Screen } from '../browser/person.js';
import { stage } from '../browser/stage.js';

/* `npm run screenshots`: pictures of the pages for README and docs, from the sample. It is no part of npm test. */

const on = stage();
const folder = join(import.meta.dirname, '../../docs/screenshots');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

interface Picture {
  readonly name: string;
  readonly screen: Screen;
  readonly colorScheme: 'light' | 'dark';
  readonly address: string;
  /** What to press there, and the text that is there when the picture can be taken. */
  readonly press?: readonly [selector: string, shows: string | RegExp];
}

/** On a review, after the rules have answered. */
const verdictOfRules =
  /^(The rules would let it through|If you approve it now, it is refused|Your answer would have no effect)/;

const picture = (name: string, screen: Screen, colorScheme: Picture['colorScheme'], address: string): Picture => ({
  name,
  screen,
  colorScheme,
  address,
});

const pictures: readonly Picture[] = [
  picture('now', 'desktop', 'light', '/'),
  picture('reviews', 'desktop', 'light', '/reviews'),
  { ...picture('review', 'phone', 'light', '/reviews'), press: ['main a[href*="/reviews/"]', verdictOfRules] },
  {
    ...picture('story', 'desktop', 'light', '/stories?outcome=refused'),
    press: ['.queue a', 'steps are in the record'],
  },
  { ...picture('stop', 'phone', 'dark', '/'), press: ['header button:has-text("Stop")', 'What this does'] },
  picture('agent', 'desktop', 'light', '/agents/paid-media-agent'),
  picture('plays', 'phone', 'dark', '/plays'),
  picture('policy', 'desktop', 'dark', '/policy'),
  picture('sources', 'desktop', 'light', '/sources'),
  picture('people', 'phone', 'light', '/people'),
  picture('record', 'desktop', 'light', '/record'),
  picture('runbook', 'phone', 'dark', '/runbook'),
];

test.each(pictures)('$name, on a $screen in $colorScheme', async ({ name, screen, colorScheme, address, press }) => {
  const { page } = await on.enter({ on: screen, colorScheme, deviceScaleFactor: 1 });
  await page.goto(address);
  await settled(page);
  // The first message of the stream brings the time in the head of the page.
  await page.getByText(/^as of /).waitFor();
  if (press) {
    await page.locator(press[0]).first().click();
    await page.getByText(press[1]).first().waitFor({ timeout: 60_000 });
    await settled(page);
  }
  const taken = await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  expect(taken.length, `${name}.png in bytes`).toBeLessThan(150_000);
});
