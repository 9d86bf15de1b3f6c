import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { cutOrOver, objections, settled, stretched, tooWide } from './looks.js';
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
    ...(await cutOrOver(page)),
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

test('on a phone no text is cut off where a list is filtered, or where everything is stopped', async () => {
  const { page } = await on.enter({ on: 'phone' });
  await page.goto('/sources/rejected?code=contract');
  await settled(page);
  await page.locator('input[value="A field is missing, wrong or unknown"]').waitFor();
  expect([...(await objections(page)), ...(await cutOrOver(page)), ...(await tooWide(page))]).toEqual([]);

  const stop = { scope: 'all', by: 'lea', reason: 'numbers look wrong', changedAt: '2026-11-21T10:00:00.000Z' };
  await page.route('**/v1/plays', async (route) => {
    const response = await route.fetch();
    const { plays, ...answer } = (await response.json()) as { plays: object[] };
    await route.fulfill({ response, json: { ...answer, plays: plays.map((play) => ({ ...play, stops: [stop] })) } });
  });
  await page.goto('/plays');
  await settled(page);
  await page.getByText('Stopped', { exact: true }).first().waitFor();
  expect([...(await objections(page)), ...(await cutOrOver(page)), ...(await tooWide(page))]).toEqual([]);
});

const others = [
  { width: 768, height: 1024 },
  { width: 1920, height: 1080 },
];

test.each(others)(
  'on a screen of $width × $height pixels no page is stretched or cut off, and nobody scrolls sideways',
  async (viewport) => {
    const { page } = await on.enter({ viewport });
    const found: Record<string, readonly string[]> = {};
    for (const address of addresses) {
      await page.goto(address);
      await settled(page);
      const wrong = [...(await tooWide(page)), ...(await cutOrOver(page)), ...(await stretched(page))];
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

/** The paths that a page asks the console for while it has no answer to any of them. */
async function askedAtOnce(page: Page, address: string, atLeast: number): Promise<string[]> {
  const asked = new Set<string>();
  await page.route('**/v1/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    // Without the session there is no page, and the stream never ends.
    if (/^\/v1\/(session|live)$/.test(pathname)) return route.continue();
    asked.add(pathname);
  });
  await page.goto(address, { waitUntil: 'commit' });
  await expect.poll(() => asked.size, { timeout: 20_000 }).toBeGreaterThanOrEqual(atLeast);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  return [...asked].toSorted();
}

test('a page asks for all that it shows before it has any of it', async () => {
  const { page } = await on.enter();
  const addressOf = (kind: string): string => addresses.find((address) => address.startsWith(`/${kind}/`)) ?? '';
  const expected: Record<string, readonly string[]> = {
    [addressOf('reviews')]: ['', '/facts', ...['/v1/controls', '/v1/kinds', '/v1/reviews']],
    [addressOf('people')]: ['', '/actions', '/reveals'],
    [addressOf('agents')]: ['', '/actions', '/v1/controls'],
    [addressOf('plays')]: ['', '/runs', '/v1/controls'],
  };
  for (const [address, paths] of Object.entries(expected)) {
    const whole = paths.map((path) => (path.startsWith('/v1/') ? path : `/v1${address}${path}`)).toSorted();
    expect(await askedAtOnce(page, address, whole.length)).toEqual(whole);
  }
});

test('the first view loads at most 250 kB of compressed script', async () => {
  const { page, context } = await on.enter();
  const scripts = new Set<string>();
  page.on('request', (request) => {
    // What comes ahead for later views is no script: nothing runs it yet.
    if (request.resourceType() === 'script') scripts.add(request.url());
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
