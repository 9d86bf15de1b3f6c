import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@countersign/servers';
import { lossyWay } from '@countersign/testing';
import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { consoleUrl, screens, signedIn } from './person.js';
import { stage } from './stage.js';

/* The code of the other pages comes into the browser's cache after the first view, takes one connection at most, and then runs. */

const on = stage();
let context: BrowserContext | undefined;
afterEach(async () => {
  await context?.close();
  context = undefined;
});

/** All files of the pages. The worker is loaded by whoever checks the whole record. */
const files = readdirSync(join(workspaceRoot, 'apps/console-web/dist/pages/assets'))
  .filter((name) => /\.(js|css)$/.test(name) && !name.startsWith('whole.worker-'))
  .map((name) => `/assets/${name}`);

/** A browser that caches what it loads. In the other tests requests are watched on their way, and then a browser caches nothing. */
async function cachingPage(baseURL = consoleUrl(on.installed)): Promise<Page> {
  const session = await signedIn(on.browser, on.installed);
  context = await on.browser.newContext({ ...screens.desktop, ...session, baseURL });
  context.setDefaultTimeout(15_000);
  return context.newPage();
}

interface Asked {
  readonly path: string;
  readonly ahead: boolean;
  readonly from: number;
  readonly to: number;
}

/** What the page has loaded of its files so far, in the order of the requests. */
const askedBy = (page: Page): Promise<Asked[]> =>
  page.evaluate<Asked[]>(`performance.getEntriesByType('resource')
    .map(({ name, initiatorType, startTime: from, responseEnd: to }) => ({ path: new URL(name).pathname, ahead: initiatorType === 'fetch', from, to }))
    .filter(({ path }) => path.startsWith('/assets/'))`);

const now = (page: Page): Promise<number> => page.evaluate<number>('performance.now()');

/** Waits until the page has asked for all its files, and returns what it asked for ahead. */
async function allAsked(page: Page): Promise<Asked[]> {
  let asked: Asked[] = [];
  await expect
    .poll(
      async () => {
        asked = await askedBy(page);
        return files.filter((file) => !asked.some(({ path }) => path === file));
      },
      { timeout: 60_000 },
    )
    .toEqual([]);
  return asked.filter(({ ahead }) => ahead);
}

/** The files that the browser would ask the console for. */
const notCached = (page: Page): Promise<string[]> =>
  page.evaluate<
    string[]
  >(`Promise.all(${JSON.stringify(files)}.map((file) => fetch(file, { cache: 'only-if-cached', mode: 'same-origin' })
    .then(({ ok }) => (ok ? [] : [file]), () => [file]))).then((all) => all.flat())`);

const live = (page: Page) => page.getByText(/^as of /).waitFor({ timeout: 60_000 });

test('after the first view the code of every page is in the cache, and its files came one at a time', async () => {
  const page = await cachingPage();
  await page.goto('/');
  const ahead = await allAsked(page);
  expect(ahead.length).toBeGreaterThan(5);
  expect(ahead.filter(({ from }, n) => from < (ahead[n - 1]?.to ?? 0))).toEqual([]);
  expect(await notCached(page)).toEqual([]);
});

test('after that the code of every page has run, and a page opens without a request for code', async () => {
  const page = await cachingPage();
  await page.goto('/');
  await allAsked(page);
  const ofPages = files.filter((file) => file.includes('.page-') && file.endsWith('.js'));
  expect(ofPages.length).toBeGreaterThan(10);
  const notRun = async (): Promise<string[]> => {
    const run = new Set((await askedBy(page)).filter(({ ahead }) => !ahead).map(({ path }) => path));
    return ofPages.filter((file) => !run.has(file));
  };
  await expect.poll(notRun, { timeout: 60_000 }).toEqual([]);
  await page.evaluate<void>('performance.clearResourceTimings()');
  for (const name of ['Agents', 'Plays', 'Record']) {
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
  }
  expect(await askedBy(page)).toEqual([]);
});

test('a lost connection ends the loading, and it goes on when the connection is back', async () => {
  const way = await lossyWay(consoleUrl(on.installed));
  try {
    const page = await cachingPage(new URL(way.url).origin);
    const last = files.find((file) => file.includes('/record.page-'));
    way.loseAnswerTo(last as string);
    await page.goto('/');
    await expect.poll(way.silent, { timeout: 30_000 }).toBe(1);
    way.loseAll();
    await page.getByText('No connection: this may be old').waitFor({ timeout: 30_000 });
    expect(await notCached(page)).toContain(last);
    way.mend();
    await expect.poll(() => notCached(page), { timeout: 90_000, interval: 1_000 }).toEqual([]);
  } finally {
    await way.close();
  }
});

test('nothing is loaded ahead for a person who saves data, until they do not save it any more', async () => {
  const page = await cachingPage();
  await page.addInitScript({
    content: `Object.defineProperty(navigator, 'connection', { value: Object.assign(new EventTarget(), { saveData: true }) });`,
  });
  await page.goto('/');
  await live(page);
  const since = await now(page);
  await page.evaluate<void>(
    `void navigator.connection.dispatchEvent(Object.assign(navigator.connection, { saveData: false }) && new Event('change'))`,
  );
  const ahead = await allAsked(page);
  expect(ahead.filter(({ from }) => from < since)).toEqual([]);
  expect(await notCached(page)).toEqual([]);
});
