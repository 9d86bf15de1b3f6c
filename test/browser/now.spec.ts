import { type DataOf, money } from '@countersign/contracts';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { crash } from '../flows/installation.js';
import { cutOrOver, objections, settled, tooWide } from './looks.js';
import { type Screen, screens } from './person.js';
import { stage } from './stage.js';
import { resumeBy, stopBy } from './stopping.js';
import { atRest, shiftToAsk, waiting } from './waiting.js';

/* The page Now and the page of an agent have the figures of the command line; the red buttons of Now stop; a service that is away is not shown as confirmed. */

const on = stage();
const all = Object.keys(screens) as Screen[];
let message: DataOf<'ActionEscalated'>;
beforeAll(async () => {
  [message] = (await waiting(on.visitor, 1)) as [DataOf<'ActionEscalated'>];
  // Money that was spent today.
  const { proposalId } = await shiftToAsk(on.visitor);
  await on.visitor.until('the console to list it', async () =>
    (await on.visitor.cli('review', 'list')).out.includes(proposalId),
  );
  expect(await on.visitor.cli('review', 'approve', proposalId, '--yes')).toMatchObject({ code: 0 });
  await on.visitor.until('its end', () =>
    on.visitor.eventsOf('ActionSettled', (end) => end.proposalId === proposalId && end.outcome === 'executed').at(0),
  );
  await atRest(on.visitor);
});
afterAll(async () => {
  const { controls } = await on.visitor.answer<{ controls: readonly { scope: string }[] }>('controls');
  for (const { scope } of controls) {
    const [family, name] = scope.split(':') as [string, string?];
    await on.visitor.cli('resume', `--${family}`, ...(name ? [name] : []), '--reason', 'the test is over');
  }
});

interface Held {
  readonly name: string | null;
  readonly id: string;
  readonly currency: string;
  readonly heldMinor: number;
  readonly committedMinor: number;
  readonly capMinor: number | null;
}
interface Now {
  readonly rates: readonly {
    readonly lastHour: number;
    readonly lastMinute: number;
    readonly byLabel: Readonly<Record<string, number>>;
  }[];
  readonly spend: Readonly<Record<'adAccounts' | 'campaigns' | 'agents', readonly Held[]>>;
  readonly waiting: {
    readonly reviews: { readonly count: number; readonly first: readonly { readonly id: string }[] };
    readonly unresolved: { readonly count: number };
    readonly deadLetters: { readonly count: number };
  };
}
interface Status {
  readonly now: Now;
  readonly funnel: {
    readonly signals: { readonly accepted: number; readonly rejected: number };
    readonly tasks: { readonly assigned: number };
    readonly proposals: { readonly total: number };
    readonly verdicts: Readonly<Record<'approved' | 'refused' | 'escalated' | 'superseded', number>>;
    readonly settled: Readonly<Record<string, number>>;
  };
}

const stages = ['Signals', 'Tasks', 'Proposals', 'Verdicts', 'Settlements'];
const holders = { 'Ad accounts': 'adAccounts', Campaigns: 'campaigns', Agents: 'agents' } as const;
const kinds = { Reviews: 'reviews', 'Unresolved actions': 'unresolved', 'Dead letters': 'deadLetters' } as const;
const labelWords: Readonly<Record<string, string>> = {
  escalated: 'left to a person',
  superseded: 'replaced by a person’s edit',
};
const count = (n: number) => n.toLocaleString('en-GB');
const sum = (...parts: readonly number[]) => parts.reduce((a, b) => a + b, 0);

/** What the page has to show of an answer of the command line, article by article. */
function expected({ now, funnel }: Status) {
  const { signals, verdicts } = funnel;
  const totals = [
    sum(signals.accepted, signals.rejected),
    funnel.tasks.assigned,
    funnel.proposals.total,
    sum(verdicts.approved, verdicts.refused, verdicts.escalated, verdicts.superseded),
    sum(...Object.values(funnel.settled)),
  ];
  const labels = (byLabel: Readonly<Record<string, number>>) =>
    Object.entries(byLabel)
      .filter(([, n]) => n > 0 && Object.keys(byLabel).length > 1)
      .map(([label, n]) => `${count(n)} ${labelWords[label] ?? label}`)
      .toSorted();
  const held = ({ id, name, currency, heldMinor, committedMinor, capMinor }: Held) => [
    name === null || name === id ? id : `${name} ${id}`,
    ...(capMinor === null ? [] : [`${Math.round((100 * (heldMinor + committedMinor)) / capMinor)} %`]),
    `${money(committedMinor, currency)} spent, ${money(heldMinor, currency)} reserved${
      capMinor === null ? '' : `, of ${money(capMinor, currency)} a day`
    }`,
  ];
  return {
    ...Object.fromEntries(
      now.rates.map(({ lastHour, lastMinute, byLabel }, n) => [
        stages[n],
        [
          count(lastHour),
          `${count(lastMinute)} in the last minute`,
          labels(byLabel),
          `${count(totals[n] ?? 0)} since the beginning`,
        ],
      ]),
    ),
    ...Object.fromEntries(Object.entries(holders).map(([title, name]) => [title, now.spend[name].flatMap(held)])),
    ...Object.fromEntries(Object.entries(kinds).map(([title, name]) => [title, count(now.waiting[name].count)])),
    reviews: now.waiting.reviews.first.map(({ id }) => `/reviews/${id}`),
  };
}

const article = (page: Page, title: string) => page.getByRole('article', { name: title, exact: true });
const lines = (part: Locator) => part.locator('p').allTextContents();

/** The same as the page shows it. */
async function shown(page: Page): Promise<ReturnType<typeof expected>> {
  const found: Record<string, unknown> = {};
  for (const title of stages) {
    const [, lastHour, lastMinute, labels = '', total] = await lines(article(page, title));
    found[title] = [lastHour, lastMinute, labels === '' ? [] : labels.split(', ').toSorted(), total];
  }
  for (const title of Object.keys(holders))
    found[title] = (await lines(article(page, title))).filter(
      (text) => !/^An agent has no cap|^And .* more/.test(text),
    );
  for (const title of Object.keys(kinds)) found[title] = (await lines(article(page, title)))[0];
  const links = article(page, 'Reviews').getByRole('listitem').getByRole('link');
  const hrefs = await links.evaluateAll((every) => every.map((link) => link.getAttribute('href')));
  return { ...found, reviews: hrefs } as ReturnType<typeof expected>;
}

/** The page reads its figures again every few seconds, and an hour ends every minute. */
const soon = { timeout: 30_000, interval: 500 };

test.each(all)('on a %s Now has the figures of the command line', async (screen) => {
  const { page } = await on.enter({ on: screen });
  await page.goto('/');
  await settled(page);
  const {
    rates,
    spend,
    waiting: left,
  } = await vi.waitFor(async () => {
    const status = await on.visitor.answer<Status>('status');
    expect(await shown(page)).toEqual(expected(status));
    return status.now;
  }, soon);
  for (const { lastHour } of rates) expect(lastHour).toBeGreaterThan(0);
  for (const name of Object.values(holders)) expect(spend[name].length).toBeGreaterThan(0);
  expect(left.reviews.count).toBeGreaterThan(0);
});

test('a service that was killed is not confirmed on either screen, and confirmed again once it runs', async () => {
  const away = 'sequencing-agent';
  const pages = await Promise.all(
    all.map(async (screen) => {
      const { page } = await on.enter({ on: screen });
      await page.goto('/');
      await article(page, away).getByText('Confirmed', { exact: true }).waitFor();
      return page;
    }),
  );
  const again = await crash(away);
  try {
    for (const page of pages) {
      const service = article(page, away);
      await service.getByText('Not confirmed', { exact: true }).waitFor({ timeout: 30_000 });
      await service.getByText('the broker sees no instance of it', { exact: false }).waitFor();
      await page.getByText('1 service is not confirmed.').waitFor();
      expect(await service.getByText('Confirmed', { exact: true }).count()).toBe(0);
    }
  } finally {
    await again();
  }
  for (const page of pages) {
    await article(page, away).getByText('Confirmed', { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByText('Every service that runs here is confirmed.').waitFor();
  }
});

/** Goes to the page of an agent by the menu, as a person does. */
async function toAgent(page: Page, agent: string): Promise<void> {
  await settled(page);
  const menu = page.getByRole('button', { name: 'Open the menu' });
  if (await menu.isVisible()) await menu.click();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Agents' }).click();
  await page.getByRole('link', { name: agent, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: agent }).waitFor();
  await settled(page);
}

interface Agent {
  readonly charter: readonly { readonly title: string; readonly lines: readonly string[] }[];
  readonly figures: {
    readonly proposed: number;
    readonly approved: number;
    readonly refused: number;
    readonly escalated: number;
    readonly answers: Readonly<Record<'approve' | 'edit' | 'reject', number>>;
    readonly refusedBy: Readonly<Record<string, number>>;
    readonly tokens: { readonly state: string };
  };
}

const agents: Readonly<Record<Screen, string>> = { desktop: 'paid-media-agent', phone: 'sequencing-agent' };

test.each(all)(
  'on a %s the page of an agent has its charter, its figures and its tokens as the command line has them',
  async (screen) => {
    const agent = agents[screen];
    const { page } = await on.enter({ on: screen });
    await page.goto('/');
    await toAgent(page, agent);
    const charter = page.getByRole('region', { name: 'Charter' }).locator('section');
    const figures = page.getByRole('region', { name: 'Figures' });
    await vi.waitFor(async () => {
      const { charter: sections, figures: f } = await on.visitor.answer<Agent>('agents', agent);
      expect(sections.length).toBeGreaterThan(0);
      const texts: (readonly [title: string, lines: readonly string[]])[] = [];
      for (const section of await charter.all())
        texts.push([
          (await section.getByRole('heading').textContent()) ?? '',
          await section.getByRole('listitem').allTextContents(),
        ]);
      expect(texts).toEqual(sections.map(({ title, lines: listed }) => [title, listed]));

      const numbers = {
        Proposed: f.proposed,
        Approved: f.approved,
        Refused: f.refused,
        'A person was asked': f.escalated,
        'A person approved': f.answers.approve,
        'A person changed it': f.answers.edit,
        'A person rejected it': f.answers.reject,
      };
      for (const n of [f.proposed, f.approved, f.refused, f.escalated]) expect(n).toBeGreaterThan(0);
      const rules = Object.entries(f.refusedBy).toSorted(([, a], [, b]) => b - a);
      // Sentences between the figures have words of their own.
      // Beside the words of a rule is its name.
      const named = (text: string) => rules.find(([rule]) => text.endsWith(` ${rule}`))?.[0] ?? text;
      const pairs = (await figures.locator('p, dt, dd').allTextContents())
        .filter((text) => !/\.$/.test(text))
        .map(named);
      expect(pairs).toEqual([
        ...Object.entries(numbers).flatMap(([label, n]) => [label, count(n)]),
        ...rules.flatMap(([rule, n]) => [rule, count(n)]),
      ]);
      // Both shipped agents plan by rules.
      expect(f.tokens.state).toBe('no-model');
      expect(await lines(figures)).toContain('This agent calls no model: its rules plan.');
    }, soon);
  },
);

test.each(all)('on a %s the red button of Now stops one agent, whose page shows it and resumes it', async (screen) => {
  const agent = agents[screen];
  const reason = `strange numbers on a ${screen}`;
  const { page } = await on.enter({ on: screen });
  await page.goto('/');
  const stops = page.getByRole('region', { name: 'Stops' });
  const red = stops.getByRole('button', { name: 'Stop this agent' });
  await red.waitFor();
  expect(await red.isDisabled()).toBe(true);
  await stops.getByLabel('One agent').click();
  await page.getByRole('option', { name: agent }).click();
  await red.click();
  const dialog = page.getByRole('dialog', { name: 'Stop' });
  await dialog.getByRole('button', { name: `Stop the agent ${agent}` }).waitFor();
  await stopBy(dialog, reason);
  await stops.getByText(`Stopped: the agent ${agent}`).waitFor();
  for (const service of ['the guardrails', 'the executor'])
    await stops.getByText(`Confirmed by ${service}`, { exact: true }).waitFor();
  const { controls } = await on.visitor.answer<{ controls: readonly object[] }>('controls');
  expect(controls).toMatchObject([{ scope: `agent:${agent}`, by: 'lea', reason }]);

  await toAgent(page, agent);
  const alert = page.getByRole('alert').filter({ hasText: `lea stopped the agent ${agent}` });
  await alert.getByText(reason).waitFor();
  const main = page.getByRole('main');
  await main.getByText('Stopped', { exact: true }).waitFor();
  expect(await objections(page)).toEqual([]);
  await main.getByRole('button', { name: `Resume the agent ${agent}` }).click();
  await resumeBy(page.getByRole('dialog', { name: 'Resume' }), 'the numbers were right');
  await main.getByText('Runs', { exact: true }).waitFor();
  expect(await alert.count()).toBe(0);
  expect(await on.visitor.answer('controls')).toMatchObject({ controls: [] });

  // Who comes later finds who lifted it and why, as the command line says it.
  await page.goto('/');
  await stops.getByText('Lifted lately', { exact: true }).click();
  const line = stops.getByRole('listitem').filter({ hasText: `The agent ${agent} runs again: the numbers were right` });
  await line.getByText(/^By lea, .* Every service has confirmed it\.$/).waitFor();
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  const { controls: lifted } = await on.visitor.answer<{ controls: readonly object[] }>('controls', '--lifted');
  expect(lifted[0]).toMatchObject({ scope: `agent:${agent}`, by: 'lea', reason: 'the numbers were right' });
});

test.each(all)(
  'on a %s Now lists rejected permits and lifted stops that are not confirmed, if there are any',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    let more: object = { permitsRejected: { count: 0, first: [] }, lifted: [] };
    await page.route('**/v1/now', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...((await response.json()) as object), ...more } });
    });
    await page.goto('/');
    await settled(page);
    const rejected = page.getByRole('region', { name: 'Rejected permits' });
    expect(await rejected.count()).toBe(0);
    expect(await page.getByText('Lifted lately', { exact: false }).count()).toBe(0);

    const at = new Date().toISOString();
    const detail = 'action-executor rejected a permit: its signature is not of a key that is known';
    const first = [{ detail, count: 2, lastAt: at, proposalId: 'some-proposal' }];
    const lifted = {
      ...{ scope: 'all', state: 'running', by: 'marc', reason: 'the numbers were right', version: 2, changedAt: at },
      ...{ confirmed: false, confirmedBy: [], notConfirmedBy: ['action-executor'], unknown: [] },
    };
    more = { permitsRejected: { count: 3, first }, lifted: [lifted] };
    await page.reload();
    await rejected.getByText(`A${detail.slice(1)}`).waitFor();
    await rejected.getByText(/^2 times, the last /).waitFor();
    await rejected.getByText('And 1 more', { exact: false }).waitFor();
    expect(await rejected.getByRole('link').getAttribute('href')).toBe('/stories/some-proposal');
    const stops = page.getByRole('region', { name: 'Stops' });
    await stops.getByText('Lifted lately: 1 of them not confirmed by every service').click();
    await stops.getByText('Not confirmed by the executor: it may still be stopped there.', { exact: false }).waitFor();
    expect([...(await objections(page)), ...(await tooWide(page)), ...(await cutOrOver(page))]).toEqual([]);
  },
);

test('on a phone everything is stopped from Now: what is approved meanwhile is refused, until everything is resumed there', async () => {
  const { page } = await on.enter({ on: 'phone' });
  await page.goto('/');
  const stops = page.getByRole('region', { name: 'Stops' });
  await stops.getByRole('button', { name: 'Stop everything' }).click();
  await stopBy(page.getByRole('dialog', { name: 'Stop' }), 'nobody knows what this is');
  await stops.getByText('Stopped: everything').waitFor();
  await stops.getByText('nobody knows what this is').waitFor();
  for (const service of ['the guardrails', 'the executor'])
    await stops.getByText(`Confirmed by ${service}`, { exact: true }).waitFor();
  expect(await objections(page)).toEqual([]);

  const { proposalId } = message;
  expect(await on.visitor.cli('review', 'approve', proposalId, '--yes')).toMatchObject({ code: 1 });
  const [refused] = await on.visitor.until('its refusal', () => {
    const found = on.visitor.eventsOf('ActionRefused', (refusal) => refusal.proposalId === proposalId);
    return found.length > 0 && found;
  });
  const reasons = refused?.verdict.reasons.filter(({ outcome }) => outcome === 'refuse');
  expect(reasons?.map(({ rule }) => rule)).toEqual(['kill-control']);
  expect(on.visitor.eventsOf('ActionApproved', (approval) => approval.proposalId === proposalId)).toEqual([]);

  await stops.getByRole('button', { name: 'Resume everything' }).click();
  await resumeBy(page.getByRole('dialog', { name: 'Resume' }), 'it was a drill');
  await stops.getByText('Nothing is stopped.').waitFor();
});
