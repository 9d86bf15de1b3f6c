import { randomBytes, randomUUID } from 'node:crypto';
import type { Locator, Page, Route } from 'playwright-core';
import { expect, test } from 'vitest';
import { company, signal } from '../flows/signals.js';
import { objections, settled, tooWide } from './looks.js';
import { screens, traceUrl } from './person.js';
import { stage } from './stage.js';

const on = stage();
const proofs = '**/v1/proofs/inclusion*';

/** Opens the newest story that was refused, as somebody would who wants to know why. */
async function openRefused(page: Page): Promise<void> {
  await page.goto('/stories');
  await page
    .getByRole('textbox', { name: 'Outcome' })
    .or(page.getByRole('combobox', { name: 'Outcome' }))
    .first()
    .click();
  await page.getByRole('option', { name: 'Refused', exact: true }).click();
  const first = page.locator('.queue > li').first();
  await first.getByText('Refused', { exact: true }).waitFor();
  await first.getByRole('link').click();
  await page.getByText('Why it was refused').waitFor();
}

test.each(Object.keys(screens) as (keyof typeof screens)[])(
  'on a %s somebody finds out why an action was refused, and the browser proves each step against the record',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    await openRefused(page);
    await page.getByText(/^(\d+) of \1 steps are in the record$/).waitFor({ timeout: 60_000 });
    const badges = page.locator('.story-steps > li');
    expect(await badges.count()).toBeGreaterThan(2);
    for (const step of await badges.all())
      await step.getByText(/^In the record at entry [\d,]+, checkpoint of [\d,]+ entries$/).waitFor();
    // Each step has its time of day to the second: a phone shows no hint for a distance.
    for (const text of await badges.allTextContents()) expect(text).toMatch(/\d:\d\d:\d\d.+ago/);
    // The verdict's own rules and facts, out of the bytes that were proved.
    const verdict = badges.filter({ hasText: /Refused: / }).first();
    await verdict.getByRole('button', { name: 'Facts and rules' }).click();
    await verdict
      .getByText(/refuses$/)
      .first()
      .waitFor();
    await verdict.getByText(/actions\.refused\.v1, partition \d+, offset \d+/).waitFor();
    await page.getByRole('button', { name: 'What this shows' }).click();
    await page.getByText(/computed their place in the log/).waitFor();
    await settled(page);
    expect(await objections(page)).toEqual([]);
    expect(await tooWide(page)).toEqual([]);
  },
);

const instant = /^\d{4}-\d\d-\d\dT/;
/** The page shows these members elsewhere, or they are only for machines. */
const notAFact = ['verdict', 'rationale', 'digest', 'permit', 'card'];

/** The texts of an event's data that are facts of its step. */
function textsOf(data: Readonly<Record<string, unknown>>): string[] {
  const within = (part: unknown): string[] =>
    typeof part === 'string'
      ? [part].filter((text) => text !== '' && !instant.test(text))
      : typeof part === 'object' && part !== null
        ? Object.values(part).flatMap(within)
        : [];
  return Object.entries(data).flatMap(([name, part]) => (notAFact.includes(name) ? [] : within(part)));
}

/** A story whose signals came with a trace of their own, each with another. */
async function traced(): Promise<{ story: string; account: string; traceIds: readonly string[] }> {
  const firm = company(`traced-${randomUUID().slice(0, 8)}`, 3, 'c-suite');
  const hex = (bytes: number) => randomBytes(bytes).toString('hex');
  const compared = firm.compare().map((signal) => ({ ...signal, traceparent: `00-${hex(16)}-${hex(8)}-01` }));
  await on.visitor.accepted('crm', firm.known());
  await on.visitor.accepted('website', compared);
  const [asked] = await on.visitor.until('a review', () => {
    const found = on.visitor.eventsOf('ActionEscalated', ({ action }) => action.accountId === firm.id);
    return found.length > 0 && found;
  });
  const story = asked?.proposalId ?? '';
  await on.visitor.until('its story', async () => (await on.visitor.cli('review', 'list')).out.includes(story));
  return { story, account: firm.id, traceIds: compared.map(({ traceparent }) => traceparent.split('-')[1] ?? '') };
}

/** What is behind the fold of a step. */
async function factsOf(step: Locator): Promise<Locator> {
  const id = await step.getByRole('button', { name: 'Facts and rules' }).getAttribute('aria-controls');
  return step.locator(`[id="${id}"]`);
}

const ruleWords: Readonly<Record<string, string>> = { refuse: 'refuses', escalate: 'asks a person', pass: 'passes' };
const instants = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
const contactIds = /contact [0-9a-f-]{36}/g;
/** Times as a reader reads them in this browser: in the browser's zone and language, with the date if it is not today. */
const asRead = (all: readonly string[]): string[] =>
  all.map((at) => {
    const time = new Date(at);
    const today = time.toDateString() === new Date().toDateString();
    return time.toLocaleString(undefined, { timeStyle: 'short', ...(!today && { dateStyle: 'medium' }) });
  });

/** The event that a step names, as it is on its topic. */
async function eventOf(facts: Locator) {
  const place = await facts.locator('dd').filter({ hasText: ', partition ' }).textContent();
  const event = on.visitor.events.find((e) => `${e.topic}, partition ${e.partition}, offset ${e.offset}` === place);
  if (!event) throw new Error(`no event is at ${place}`);
  return event;
}

test('each step of a story opens to the facts and rules of its own event and closes again, and its link leads to the trace of that event', async () => {
  const { story, account, traceIds } = await traced();
  const { page, context } = await on.enter();
  const visits: (string | undefined)[] = [];
  await context.route(traceUrl('*'), async (route) => {
    visits.push(route.request().headers().referer);
    await route.fulfill({ contentType: 'text/html', body: '<title>A trace</title>' });
  });
  await page.goto(`/stories/${story}`);
  await settled(page);
  const steps = page.locator('.story-steps > li');
  const count = await steps.count();
  const seen = new Set<string>();
  for (const step of await steps.all()) {
    const fold = step.getByRole('button', { name: 'Facts and rules' });
    const facts = await factsOf(step);
    expect(await facts.textContent()).toBe('');
    await fold.click();
    await facts.getByText(/partition \d+, offset \d+/).waitFor();
    await facts.getByRole('heading', { name: 'Facts' }).waitFor();
    const event = await eventOf(facts);
    seen.add(event.type);
    await facts.getByText(event.type).waitFor();
    const shown = await facts.locator('dd').allTextContents();
    expect(shown).toEqual(expect.arrayContaining(textsOf(event.data)));
    const { verdict, rationale } = event.data as {
      verdict?: { reasons: { rule: string; outcome: string; detail: string }[] };
      rationale?: string;
    };
    const rules = await facts.getByRole('listitem').allTextContents();
    expect(rules).toHaveLength(verdict?.reasons.length ?? 0);
    // The words of the record, except for times, people and a plural: those are as a reader reads them.
    const texts = (verdict?.reasons ?? []).map(async ({ rule, outcome, detail }) => {
      const times = detail.match(instants) ?? [];
      const read = await page.evaluate(asRead, times);
      const words = times
        .reduce((text, at, n) => text.replace(at, read[n] ?? ''), detail)
        .replaceAll(contactIds, `an executive of ${account}`)
        .replace('in 1 days', 'in 1 day');
      return `${rule} ${ruleWords[outcome]} ${words}`;
    });
    expect(rules.toSorted()).toEqual((await Promise.all(texts)).toSorted());
    if (rationale !== undefined) await facts.getByRole('blockquote').getByText(rationale).waitFor();

    const traceId = event.traceparent?.split('-')[1] ?? '';
    expect(traceIds).toContain(traceId);
    const [tab] = await Promise.all([context.waitForEvent('page'), step.getByRole('link', { name: 'Trace' }).click()]);
    await tab.waitForURL(traceUrl(traceId));
    await tab.close();
  }
  expect([...seen]).toEqual(
    expect.arrayContaining(['SignalAccepted', 'TaskAssigned', 'ActionProposed', 'ActionEscalated']),
  );
  // Whoever looks at traces does not learn where in the console somebody came from.
  expect(visits).toEqual(Array(count).fill(undefined));
  expect(await objections(page)).toEqual([]);
  for (const step of await steps.all()) {
    await step.getByRole('button', { name: 'Facts and rules' }).click();
    expect(await (await factsOf(step)).textContent()).toBe('');
  }
});

test('where no page shows traces, an opened step has the id of the trace of its event, and a button that copies it', async () => {
  const { story, traceIds } = await traced();
  const { page } = await on.enter({ on: 'phone', permissions: ['clipboard-read', 'clipboard-write'] });
  await page.route('**/v1/stories/*', async (route) => {
    const response = await route.fetch();
    const { steps, ...answer } = (await response.json()) as { steps: object[] };
    await route.fulfill({ response, json: { ...answer, steps: steps.map((step) => ({ ...step, traceUrl: null })) } });
  });
  await page.goto(`/stories/${story}`);
  await settled(page);
  const step = page.locator('.story-steps > li').last();
  expect(await step.getByRole('link', { name: 'Trace' }).count()).toBe(0);
  await step.getByRole('button', { name: 'Facts and rules' }).click();
  const facts = await factsOf(step);
  await facts.getByRole('button', { name: 'Copy the id of the trace' }).click();
  const copied = await page.evaluate<string>('navigator.clipboard.readText()');
  expect(traceIds).toContain(copied);
  expect((await eventOf(facts)).traceparent?.split('-')[1]).toBe(copied);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
});

/** Answers as the record does, with one character of one hash changed. */
async function flipped(route: Route): Promise<void> {
  const response = await route.fetch();
  const body = (await response.json()) as { proof: string[] };
  const [first = '', ...rest] = body.proof;
  const proof = [`${first.startsWith('A') ? 'B' : 'A'}${first.slice(1)}`, ...rest];
  await route.fulfill({ response, json: { ...body, proof } });
}

test('a wrong proof, and a record that does not answer, are said to be that; nothing is called proved', async () => {
  const { page } = await on.enter();
  await page.route(proofs, flipped);
  await openRefused(page);
  await page.getByText(/^\d+ of \d+ proofs are wrong$/).waitFor({ timeout: 60_000 });
  expect(await page.getByText(/In the record at entry/).count()).toBe(0);

  await page.unroute(proofs);
  await page.route(proofs, (route) => route.abort());
  await page.reload();
  await page.getByText(/^0 of \d+ steps are in the record$/).waitFor({ timeout: 60_000 });
  await page
    .getByText(/does not answer this browser/)
    .first()
    .waitFor();
});

test('a story is found by the first characters of its id; another search says what to do', async () => {
  const { page } = await on.enter();
  await openRefused(page);
  const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  await page.goto('/stories');
  await page.getByRole('searchbox', { name: 'Find a story' }).waitFor();
  await page.keyboard.press('/');
  await page.locator('input[type="search"]:focus').waitFor();
  await page.keyboard.type(id.slice(0, 13));
  await page.keyboard.press('Enter');
  await page.locator(`a[href="/stories/${id}"]`).waitFor();
  await page.getByText('The beginning of the name of an account or a campaign, or of an id').waitFor();
  await page.getByRole('searchbox', { name: 'Find a story' }).fill('no such thing');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByRole('heading', { name: 'Nothing was found with this name' }).waitFor();
});

test('a search that finds more names than the page looks at asks for more of the name, in stories and in people', async () => {
  const name = `many-${randomUUID().slice(0, 8)}`;
  const accounts = Array.from({ length: 21 }, (_, n) => {
    const id = `${name}-${n}`;
    return { ...signal('crm', 'AccountUpserted', { account: { id }, name: id, tier: 3, ownerId: 'owner-nord' }), id };
  });
  const { page } = await on.enter();
  const find = async (text: string, chains: number): Promise<void> => {
    await on.visitor.until(`${chains} chains of ${text}`, async () => {
      await page.goto(`/stories?search=${text}`);
      await settled(page);
      return (await page.locator('main a.row').count()) === chains;
    });
  };
  const more = (text: string) =>
    page.getByText(
      `More names begin with “${text}” than are looked at here. Write more of the name to find the others.`,
    );
  await on.visitor.accepted('crm', accounts.slice(0, 20));
  await find(name, 20);
  expect(await more(name).count()).toBe(0);

  await on.visitor.accepted('crm', accounts.slice(20));
  await on.visitor.until('the text about more names', async () => {
    await find(name, 20);
    return (await more(name).count()) === 1;
  });
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  await find(`${name}-7`, 1);
  expect(await more(`${name}-7`).count()).toBe(0);

  await page.goto(`/people?q=${name}`);
  await page
    .getByText(
      `The names of more accounts begin with “${name}” than are looked at here. Write more of the name to find the others.`,
    )
    .waitFor();
  expect(await page.getByText('Nobody was found').count()).toBe(0);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
});

test('the key of the search finds a story from every page, and the list of keys says so', async () => {
  const { page } = await on.enter();
  const search = page.locator('input[type="search"]:focus');
  for (const address of ['/', '/record', '/runbook/stop']) {
    await page.goto(address);
    await settled(page);
    await page.keyboard.press('/');
    await search.waitFor();
    expect(new URL(page.url()).pathname).toBe('/stories');
    await page.keyboard.type('a/b');
    expect(await search.inputValue()).toBe('a/b');
  }
  // Who opens the page otherwise does not begin in the search.
  await page.goto('/record');
  await settled(page);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Stories' }).click();
  await page.getByRole('searchbox', { name: 'Find a story' }).waitFor();
  expect(await search.count()).toBe(0);
  await page.goto('/record');
  await settled(page);
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await dialog.getByRole('row', { name: '/ find a story' }).waitFor();
  // In a dialog a letter is a letter.
  await page.keyboard.press('/');
  expect(new URL(page.url()).pathname).toBe('/record');
});

test.each(Object.keys(screens) as (keyof typeof screens)[])(
  'on a %s the browser verifies that the record still begins with what it signed',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    await page.goto('/record');
    await page.getByRole('button', { name: 'Verify now' }).click();
    await page.getByText(/^\d+ checkpoints verified$/).waitFor({ timeout: 60_000 });
    await settled(page);
    expect(await objections(page)).toEqual([]);
    expect(await tooWide(page)).toEqual([]);
  },
);
