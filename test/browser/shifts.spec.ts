import type { Page, Route } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { settled } from './looks.js';
import { consoleUrl, type Screen } from './person.js';
import { stage } from './stage.js';
import { atRest, waiting } from './waiting.js';

/*
 * Nothing moves while a page comes, in whatever order its answers come: they are held, and given one at a time, each when the one
 * before has been painted.
 */

const on = stage();
let addresses: string[] = [];

beforeAll(async () => {
  const [message] = await waiting(on.visitor, 1);
  addresses = [
    ...['/', '/reviews', '/stories', '/agents', '/plays', '/policy', '/sources', '/people', '/record', '/runbook'],
    `/reviews/${message?.proposalId}`,
    `/stories/${message?.proposalId}`,
    `/people/${message?.action.payload.contactId}`,
    '/agents/paid-media-agent',
    '/plays/tier-1-comparison-surge',
    '/sources/rejected',
    '/sources/dead-letters',
    ...['stop', 'hand-back', 'replay', 'gap', 'drain'].map((guide) => `/runbook/${guide}`),
    '/sign-in',
  ];
  // What happens while a page is looked at may well move it: a review that comes is listed on the page Now.
  await atRest(on.visitor);
});

/** Runs in each page before anything else: what moved without an input, with its sources. */
const watchShifts = `
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries())
      window.shifts.push({ value, sources: sources.map(({ node, previousRect, currentRect }) =>
        (node?.textContent ?? '').slice(0, 40) + ' from ' + previousRect.y + ' to ' + currentRect.y).join('; ') });
  }).observe({ type: 'layout-shift', buffered: true });`;

const painted = (page: Page) =>
  page.evaluate<void>('new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(() => then())))');

/** Holds the answers of the console, and gives one after another: the first asked for first, or the last. */
async function oneAtATime(page: Page, order: 'first' | 'last'): Promise<() => Promise<void>> {
  const held: Route[] = [];
  let over = false;
  await page.route(`${new URL(consoleUrl(on.installed)).origin}/v1/**`, async (route) => {
    // Without the session there is no page, and the stream never ends.
    if (over || /\/v1\/(session|live)$/.test(route.request().url())) await route.continue();
    else held.push(route);
  });
  const give = async (): Promise<void> => {
    while (!over) {
      // Whatever the page asks for next, it asks for in the frame in which it has the answer before.
      await painted(page).catch(() => undefined);
      const route = order === 'first' ? held.shift() : held.pop();
      if (!route) continue;
      const request = route.request();
      await route.continue().catch(() => undefined);
      await Promise.race([request.response(), page.waitForEvent('close')]).catch(() => undefined);
    }
    for (const route of held.splice(0)) await route.continue().catch(() => undefined);
  };
  const giving = give();
  return async () => {
    over = true;
    await giving;
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  };
}

const ways = (['desktop', 'phone'] as Screen[]).flatMap((screen) =>
  (['first', 'last'] as const).map((order) => ({ screen, order })),
);

test.each(ways)(
  'nothing moves while a page comes on a $screen, the answer asked for $order first',
  async ({ screen, order }) => {
    const { page } = await on.enter({ on: screen });
    await page.addInitScript({ content: watchShifts });
    const moved: Record<string, readonly unknown[]> = {};
    for (const address of addresses) {
      const end = await oneAtATime(page, order);
      await page.goto(address, { waitUntil: 'commit' });
      await settled(page);
      await painted(page);
      const shifts = await page.evaluate<{ value: number; sources: string }[]>('window.shifts');
      await end();
      // A word that becomes longer where nothing stands beside it: far below what anybody sees.
      const seen = shifts.filter(({ value }) => value >= 0.001);
      if (seen.length > 0) moved[address] = seen;
    }
    expect(moved).toEqual({});
  },
);
