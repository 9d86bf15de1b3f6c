import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { objections, settled, stretched, tooWide } from './looks.js';
import type { Screen } from './person.js';
import { stage } from './stage.js';
import { waiting } from './waiting.js';

/* Every page of the menu, and one of each kind behind it, on each screen, in light and in dark. */

const on = stage();
/** Addresses of pages. */
let addresses: string[] = [];

/** The pages that the menu leads to. */
async function ofTheMenu(page: Page): Promise<string[]> {
  const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
  await links.first().waitFor();
  return Promise.all((await links.all()).map(async (link) => (await link.getAttribute('href')) ?? ''));
}

const heading = (page: Page) => page.getByRole('heading', { level: 1 });

/** What is wrong with a page, one line each. */
async function faultsOf(page: Page, address: string): Promise<string[]> {
  await page.goto(address);
  try {
    await settled(page);
  } catch (error) {
    return [`it does not come to an end: ${error}`];
  }
  const titles = await heading(page).count();
  return [
    ...(titles === 1 ? [] : [`${titles} headings of the first level`]),
    ...(await objections(page)),
    ...(await tooWide(page)),
  ];
}

beforeAll(async () => {
  const { page } = await on.enter();
  await page.goto('/');
  const [message] = await waiting(on.visitor, 1);
  addresses = [
    ...(await ofTheMenu(page)),
    `/reviews/${message?.proposalId}`,
    `/stories/${message?.proposalId}`,
    `/people/${message?.action.payload.contactId}`,
    '/agents/paid-media-agent',
    '/plays/tier-1-comparison-surge',
    '/sources/rejected',
    '/sources/dead-letters',
    ...['stop', 'hand-back', 'replay', 'gap', 'drain'].map((guide) => `/runbook/${guide}`),
    '/sign-in',
    '/nowhere',
  ];
});

const looks = (['desktop', 'phone'] as Screen[]).flatMap((screen) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ screen, colorScheme })),
);

/** Two dozen pages, each looked at from top to bottom, take what a busy machine takes. */
const forAllPages = 300_000;

test.each(looks)(
  'everybody can use every page on a $screen in $colorScheme',
  async ({ screen, colorScheme }) => {
    const { page } = await on.enter({ on: screen, colorScheme });
    const found: Record<string, readonly string[]> = {};
    for (const address of addresses) {
      const wrong = await faultsOf(page, address);
      if (wrong.length > 0) found[address] = wrong;
    }
    expect(found).toEqual({});
  },
  forAllPages,
);

test(
  'on a screen of 1920 pixels no page is stretched: its lines stay readable, and nobody scrolls sideways',
  async () => {
    const { page } = await on.enter({ viewport: { width: 1920, height: 1080 } });
    const found: Record<string, readonly string[]> = {};
    for (const address of addresses) {
      await page.goto(address);
      await settled(page);
      const wrong = [...(await tooWide(page)), ...(await stretched(page))];
      if (wrong.length > 0) found[address] = wrong;
    }
    expect(found).toEqual({});
  },
  forAllPages,
);

test(
  'each page has its own title, and an address that is kept or loaded again shows the same page',
  async () => {
    const { page } = await on.enter();
    const titles = new Set<string>();
    for (const address of addresses) {
      await page.goto(address);
      await settled(page);
      const [title, name] = [await page.title(), await heading(page).textContent()];
      titles.add(title);
      await page.reload();
      await settled(page);
      expect([await page.title(), await heading(page).textContent()], address).toEqual([title, name]);
    }
    expect(titles.size).toBe(addresses.length);
  },
  forAllPages,
);

test('the first view loads at most 250 kB of compressed script', async () => {
  const { page, context } = await on.enter();
  const scripts = new Set<string>();
  page.on('request', (request) => {
    if (new URL(request.url()).pathname.endsWith('.js')) scripts.add(request.url());
  });
  await page.goto('/');
  await settled(page);
  // One for the frame and one for the page at least.
  expect(scripts.size).toBeGreaterThan(1);
  let total = 0;
  for (const url of scripts) {
    const answer = await context.request.get(url, { headers: { 'accept-encoding': 'gzip' } });
    const script = await answer.body();
    total += gzipSync(script).length;
    // What is long comes compressed.
    if (script.length > 1_024) expect(answer.headers()['content-encoding'], url).toBe('gzip');
  }
  expect(total).toBeLessThanOrEqual(250_000);
});
