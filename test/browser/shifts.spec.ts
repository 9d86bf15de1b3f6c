import type { Page, Route } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { signal } from '../flows/signals.js';
import { settled } from './looks.js';
import type { Screen } from './person.js';
import { stage } from './stage.js';
import { atRest, waiting } from './waiting.js';

/*
 * Nothing moves while a page comes, in whatever order its answers come: they are held, and given one at a time, each when the one
 * before has been painted.
 */

const on = stage();

interface Visit {
  readonly address: string;
  /** Shown when the last answer has come; by default whatever shows that nothing loads. */
  readonly last?: RegExp;
  readonly answer?: (route: Route) => Promise<void>;
}
let visits: Visit[] = [];

beforeAll(async () => {
  const [message] = await waiting(on.visitor, 1);
  const [late] = await waiting(on.visitor, 1);
  const withdrawals = [1, 2, 3].map((n) =>
    signal('crm', 'ConsentChanged', {
      contact: { ref: `crm:${late?.action.accountId}-${n}` },
      ...{ purpose: 'sales', channel: 'email', status: 'withdrawn' },
    }),
  );
  await on.visitor.accepted('crm', withdrawals);
  await on.visitor.until('the rules to refuse the message', async () => {
    const { out } = await on.visitor.cli('review', 'dry-run', late?.proposalId as string);
    return out.includes('The rules would refuse it');
  });
  visits = [
    ...[
      ...['/', '/reviews', '/stories', '/agents', '/plays', '/policy', '/sources', '/people', '/record', '/runbook'],
      `/people/${message?.action.payload.contactId}`,
      '/agents/paid-media-agent',
      '/plays/tier-1-comparison-surge',
      '/sources/rejected',
      '/sources/dead-letters',
      ...['stop', 'hand-back', 'replay', 'gap', 'drain'].map((guide) => `/runbook/${guide}`),
      '/sign-in',
    ].map((address) => ({ address })),
    { address: `/reviews/${message?.proposalId}`, last: /^The rules would let it through/ },
    { address: `/reviews/${late?.proposalId}`, last: /^The rules would refuse it/ },
    { address: `/stories/${message?.proposalId}`, last: /^\d+ of \d+ steps are in the record$/ },
    { address: `/stories/${message?.proposalId}`, last: /^0 of \d+ steps are in the record$/, answer: unproved },
  ];
  // What happens while a page is looked at may well move it: a review that comes is listed on the page Now.
  await atRest(on.visitor);
});

/** Answers with a story of an earlier day. The console has lost its first event, and the record has none of them. */
async function unproved(route: Route): Promise<void> {
  const { pathname } = new URL(route.request().url());
  if (pathname.startsWith('/v1/proofs/')) return route.fulfill({ status: 404, json: {} });
  if (!pathname.startsWith('/v1/stories/')) return route.continue();
  const response = await route.fetch();
  const story = (await response.json()) as { steps: { at: string; provable: boolean }[] };
  const earlier = (at: string) => new Date(Date.parse(at) - 86_400_000).toISOString();
  const steps = story.steps.map((step, n) => ({ ...step, at: earlier(step.at), provable: n > 0 && step.provable }));
  await route.fulfill({ response, json: { ...story, steps } });
}

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
async function oneAtATime(
  page: Page,
  order: 'first' | 'last',
  answer: (route: Route) => Promise<void> = (route) => route.continue(),
): Promise<() => Promise<void>> {
  const held: Route[] = [];
  let over = false;
  // Of the console and of the record.
  await page.route('**/v1/**', async (route) => {
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
      await answer(route).catch(() => undefined);
      await Promise.race([request.response(), page.waitForEvent('close')]).catch(() => undefined);
    }
    for (const route of held.splice(0)) await answer(route).catch(() => undefined);
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
    for (const { address, last, answer } of visits) {
      const end = await oneAtATime(page, order, answer);
      await page.goto(address, { waitUntil: 'commit' });
      await settled(page);
      if (last) await page.getByText(last).first().waitFor();
      await painted(page);
      const shifts = await page.evaluate<{ value: number; sources: string }[]>('window.shifts');
      await end();
      // A word that becomes longer where nothing stands beside it: far below what anybody sees.
      const seen = shifts.filter(({ value }) => value >= 0.001);
      if (seen.length > 0) moved[`${address} ${last ?? ''}`] = seen;
    }
    expect(moved).toEqual({});
  },
);
