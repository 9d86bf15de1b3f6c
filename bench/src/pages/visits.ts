import type { Page } from 'playwright-core';

/** What a person does on a page, and how to recognise the result. */
export interface Act {
  readonly what: string;
  /** The steps before the measurement: opens a list of choices, types a word. */
  prepare?(page: Page): Promise<void>;
  readonly event: 'click' | 'keydown';
  act(page: Page): Promise<void>;
  /** JavaScript in the page that is true as soon as the result is there. */
  readonly shown: string;
}

export interface Visit {
  readonly name: string;
  path(page: Page): Promise<string> | string;
  /** What the first view has with its data. */
  readonly ready: string;
  readonly act?: Act;
}

/** The target of the first link of a list. */
const linkOf =
  (list: string, selector: string) =>
  async (page: Page): Promise<string> => {
    await page.goto(list);
    return (await page.locator(selector).first().getAttribute('href')) as string;
  };

const has = (selector: string): string => `document.querySelector(${JSON.stringify(selector)}) !== null`;

/** How long a finger or a button of the mouse is down in an ordinary press, in milliseconds. */
const press = 80;

/**
 * Opens what the first link of a list leads to: another page, whose heading is another one. The time counts from the end of the
 * press, as a browser counts a click; the page may use the press itself.
 */
const open = (what: string, selector: string, shown: string): Act => ({
  what,
  event: 'click',
  act: (page) => page.locator(selector).first().click({ delay: press }),
  shown: `(document.querySelector('main h1')?.textContent ?? window.bench.title) !== window.bench.title && ${has(shown)}`,
});
const row = 'main .queue > li a';
const person = 'main li a[href^="/people/"]';
const step = 'main .story-steps > li';

export const visits: readonly Visit[] = [
  {
    name: 'now',
    path: () => '/',
    ready: 'main h2',
    act: open('open what waits', 'main a[href^="/reviews"]', 'main h1'),
  },
  {
    name: 'reviews',
    path: () => '/reviews',
    ready: row,
    act: {
      what: 'filter by agent',
      async prepare(page) {
        const filter = page.getByRole('button', { name: 'Filter', exact: true });
        if (await filter.isVisible()) await filter.click();
        await page.locator('#filter input[placeholder="Any"]').first().click();
      },
      event: 'click',
      act: (page) => page.getByRole('option').first().click(),
      shown: `location.search.includes('agent') && ${has(row)}`,
    },
  },
  {
    name: 'open a card',
    path: () => '/reviews',
    ready: row,
    act: open('open a card', row, 'main h1'),
  },
  {
    name: 'review',
    path: linkOf('/reviews', row),
    ready: 'main h1',
    act: {
      what: 'open the form that changes it',
      prepare: (page) => page.getByRole('button', { name: 'Edit', exact: true }).waitFor(),
      event: 'click',
      act: (page) => page.getByRole('button', { name: 'Edit', exact: true }).click(),
      shown: has('main form input, main form textarea'),
    },
  },
  {
    name: 'change a card',
    path: linkOf('/reviews', row),
    ready: 'main h1',
    act: {
      what: 'type into the form, to the changed action',
      async prepare(page) {
        await page.getByRole('button', { name: 'Edit', exact: true }).click();
        await page.locator('main form input, main form textarea').first().focus();
        // An amount has room for a digit only before its decimals.
        await page.keyboard.press('Home');
      },
      event: 'keydown',
      act: (page) => page.keyboard.type('1'),
      shown: has('main form section[aria-label="As it will be"]'),
    },
  },
  {
    name: 'stories',
    path: () => '/stories',
    ready: row,
    act: {
      what: 'search an account',
      prepare: (page) => page.getByRole('searchbox', { name: 'Find a story' }).fill('Bench Works 12'),
      event: 'keydown',
      act: (page) => page.getByRole('searchbox', { name: 'Find a story' }).press('Enter'),
      shown: `location.search.includes('search') && ${has(row)}`,
    },
  },
  {
    name: 'older stories',
    path: () => '/stories',
    ready: row,
    act: {
      what: 'next page of stories',
      prepare: (page) => page.getByRole('button', { name: 'Show older stories' }).scrollIntoViewIfNeeded(),
      event: 'click',
      act: (page) => page.getByRole('button', { name: 'Show older stories' }).click(),
      shown: `Number.parseInt(document.querySelector('main [role=status]').textContent) > Number.parseInt(window.bench.before)`,
    },
  },
  {
    name: 'story',
    path: linkOf('/stories', row),
    ready: step,
    act: {
      what: 'unfold the facts of a step',
      event: 'click',
      act: (page) => page.locator(`${step} button[aria-expanded]`).first().click(),
      shown: `(document.getElementById(document.querySelector('main button[aria-expanded=true]')?.getAttribute('aria-controls'))?.childElementCount ?? 0) > 0`,
    },
  },
  {
    name: 'agents',
    path: () => '/agents',
    ready: 'main article',
    act: open('open an agent', 'main article a', 'main a[href^="/stories/"]'),
  },
  {
    name: 'plays',
    path: () => '/plays',
    ready: 'main article',
    act: open('open a play', 'main article a', 'main a[href^="/stories/"]'),
  },
  {
    name: 'policy',
    path: () => '/policy',
    ready: 'main h2',
    act: {
      what: 'find a setting',
      prepare: (page) => page.getByLabel('Find a setting').focus(),
      event: 'keydown',
      act: (page) => page.keyboard.type('~'),
      shown: `[...document.querySelectorAll('main h2, main h3, main h4')].some((heading) => heading.textContent === 'No setting has this')`,
    },
  },
  { name: 'sources', path: () => '/sources', ready: 'main h2' },
  { name: 'people', path: () => '/people', ready: person, act: open('open a person', person, 'main h2') },
  { name: 'record', path: () => '/record', ready: 'main h2' },
  {
    name: 'runbook',
    path: () => '/runbook',
    ready: 'main a',
    act: {
      what: 'open the dialog that stops',
      event: 'click',
      act: (page) => page.locator('header').getByRole('button', { name: /Stop/ }).click(),
      shown: has('[role=dialog] input'),
    },
  },
];
