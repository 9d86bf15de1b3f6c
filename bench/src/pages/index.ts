import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { wholeText } from '@countersign/contracts';
import { startEverything } from '@countersign/local';
import { removeBroker, removePostgres, workspaceRoot } from '@countersign/servers';
import { temporaryDirectory } from '@countersign/testing';
import { startChromium } from '@countersign/testing/chromium';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Bench, Figure } from '../figure.js';
import { percentile } from '../percentile.js';
import { quantity } from '../report.js';
import { inPage } from './in-page.js';
import { fillConsole } from './rows.js';
import { type Act, type Visit, visits } from './visits.js';

const screens = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  desk: { viewport: { width: 1440, height: 900 } },
} as const satisfies Readonly<Record<string, BrowserContextOptions>>;

/** What a page showed of itself, in milliseconds. */
interface Seen {
  readonly first: number;
  readonly shift: number;
  readonly event: number;
  readonly acted?: number;
}

type StorageState = Exclude<BrowserContextOptions['storageState'], undefined>;

/** Opens each page of a console that has 100,000 actions in its tables, in a real browser, on two screens. */
export async function measurePages(bench: Bench): Promise<Figure[]> {
  const home = await temporaryDirectory('bench', remove);
  try {
    const running = await startEverything({
      home,
      config: join(workspaceRoot, 'deploy/config'),
      ports: 'free',
      log: bench.log,
    });
    try {
      const count = bench.quick ? 10_000 : 100_000;
      const began = performance.now();
      await fillConsole(running.superuserUrl, count, new Date());
      bench.log(`${count} actions are in the tables after ${((performance.now() - began) / 1000).toFixed(0)} s`);
      const browser = await startChromium();
      try {
        return await walk(bench, browser, running.run.http.console as string, running.secrets.consoleToken);
      } finally {
        await browser.close();
      }
    } finally {
      await running.stop();
    }
  } finally {
    await remove(home);
  }
}

async function walk(bench: Bench, browser: Browser, baseURL: string, token: string): Promise<Figure[]> {
  const storageState = await signedIn(browser, baseURL, token);
  const figures: Figure[] = [];
  const scripts: number[] = [];
  for (const visit of visits) {
    for (const [screen, options] of Object.entries(screens)) {
      bench.signal.throwIfAborted();
      try {
        const coming = { ...options, baseURL, storageState, locale: 'en-GB', reducedMotion: 'reduce' } as const;
        const measured = await measureVisit(bench, browser, coming, visit, screen, scripts);
        bench.log(measured.map(({ id, value, unit }) => `${id} ${quantity(value)} ${unit}`).join(', '));
        figures.push(...measured);
      } catch (error) {
        bench.signal.throwIfAborted();
        bench.wrong(`${visit.name} on a ${screen} could not be measured: ${(error as Error).message.split('\n')[0]}`);
      }
    }
  }
  return [
    ...figures,
    {
      id: 'g.script',
      what: 'scripts of a first view, compressed, of the page that has most',
      value: Math.max(...scripts) / 1000,
      unit: 'kB',
      aim: { text: '< 250 kB', met: (value) => value < 250 },
    },
  ];
}

/** Each cold load is one of a new profile; the warm ones follow in the last of them. */
async function measureVisit(
  bench: Bench,
  browser: Browser,
  coming: BrowserContextOptions,
  visit: Visit,
  screen: string,
  scripts: number[],
): Promise<Figure[]> {
  const loads = bench.quick ? 2 : 3;
  const seen = { cold: [] as Seen[], warm: [] as Seen[], acts: [] as Seen[] };
  let path: string | undefined;
  for (let n = 0; n < loads; n++) {
    bench.signal.throwIfAborted();
    const context = await browser.newContext(coming);
    context.setDefaultTimeout(15_000);
    try {
      path ??= await visit.path(await context.newPage());
      // The visit before may have filled the profile's cache.
      const fresh = n === 0 ? await browser.newContext(coming) : context;
      try {
        const page = await fresh.newPage();
        await page.addInitScript({ content: inPage(visit.ready) });
        seen.cold.push(await load(page, path));
        scripts.push(await page.evaluate<number>('window.bench.scripts()'));
        seen.warm.push(await load(page, path));
        if (visit.act) seen.acts.push(await act(page, visit.act));
      } finally {
        if (fresh !== context) await fresh.close();
      }
    } finally {
      await context.close();
    }
  }
  return figuresOf(visit, screen, seen);
}

async function load(page: Page, path: string): Promise<Seen> {
  await page.goto(path, { waitUntil: 'commit' });
  await until(page, 'first');
  // If something still moves after the first view, the page moves while the person uses it.
  await sleep(500);
  return page.evaluate<Seen>('window.bench.seen');
}

/** Asks now and then: Playwright's own way evaluates text in the page, which the console's policy forbids. */
async function until(page: Page, what: 'first' | 'acted'): Promise<void> {
  for (const giveUp = Date.now() + 15_000; Date.now() < giveUp; await sleep(50))
    if (await page.evaluate<boolean>(`window.bench?.seen.${what} !== undefined`)) return;
  throw new Error(what === 'first' ? 'its data never came' : 'the result never came');
}

async function act(page: Page, { prepare, event, act, shown }: Act): Promise<Seen> {
  await prepare?.(page);
  await sleep(200);
  await page.evaluate(
    `window.bench.title = document.querySelector('main h1')?.textContent; window.bench.before = document.querySelector('main [role=status]')?.textContent; window.bench.arm(${JSON.stringify(event)}, () => ${shown})`,
  );
  await act(page);
  await until(page, 'acted');
  await sleep(200);
  return page.evaluate<Seen>('window.bench.seen');
}

function figuresOf(
  { name, act }: Visit,
  screen: string,
  { cold, warm, acts }: Record<'cold' | 'warm' | 'acts', Seen[]>,
): Figure[] {
  const at = `${name.replaceAll(' ', '-')}/${screen}`;
  const firsts = cold.map(({ first }) => first);
  const again = warm.map(({ first }) => first);
  const acted = acts.flatMap(({ acted }) => (acted === undefined ? [] : [acted]));
  const ms = (values: readonly number[], percent: number): string => percentile(values, percent).toFixed(0);
  return [
    {
      id: `g.first@${at}`,
      what: 'first view with its data, cold cache, median',
      value: percentile(firsts, 50),
      unit: 'ms',
      aim: { text: '< 1,000 ms', met: (value) => value < 1000 },
      note: `longest ${ms(firsts, 100)} ms; with a warm cache ${ms(again, 50)}, longest ${ms(again, 100)} ms`,
    },
    {
      id: `g.shift@${at}`,
      what: 'layout shift, the largest of all loads',
      value: Math.max(...[...cold, ...warm].map(({ shift }) => shift)),
      unit: 'CLS',
      aim: { text: '< 0.02', met: (value) => value < 0.02 },
    },
    ...(act
      ? [
          {
            id: `g.act@${at}`,
            what: `${act.what}, from the input to the painted result, median`,
            value: percentile(acted, 50),
            unit: 'ms',
            aim: { text: '< 100 ms', met: (value: number) => value < 100 },
            note: `longest ${ms(acted, 100)} ms; to the next paint (Event Timing) at most ${Math.max(...acts.map(({ event }) => event))} ms`,
          },
        ]
      : []),
  ];
}

async function signedIn(browser: Browser, baseURL: string, token: string): Promise<StorageState> {
  const answer = await fetch(`${baseURL}/v1/sign-in/links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`no link to sign in: ${answer.status}`);
  const { url } = JSON.parse(await wholeText(answer.body, 64 * 1024)) as { url: string };
  const context = await browser.newContext({ baseURL });
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.getByRole('heading', { level: 1, name: 'Now' }).waitFor();
    return await context.storageState();
  } finally {
    await context.close();
  }
}

async function remove(home: string): Promise<void> {
  await removeBroker(join(home, 'kafka'));
  await removePostgres(join(home, 'postgres'));
  rmSync(home, { recursive: true, force: true });
}
