import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { crash } from '../flows/installation.js';
import { company } from '../flows/signals.js';
import { objections, settled, tooWide } from './looks.js';
import type { Screen } from './person.js';
import { stage } from './stage.js';

/* The runs of a play, drawn on its steps: how many stand at each, and where one of them stands. */

const on = stage();
const onEach = test.each<Screen>(['desktop', 'phone']);
const play = 'tier-1-comparison-surge';
const patience = { timeout: 60_000 };

interface Played {
  readonly steps: readonly { readonly kind: string; readonly title: string; readonly runs?: Standing }[];
  readonly latest: readonly { readonly runId: string; readonly subject: { readonly id: string } }[];
  readonly runs: { readonly live: number };
}
interface Standing {
  readonly here: number;
  readonly waits: number;
  readonly late: number;
}
/** The same as the page shows, from the command line. */
const asPrinted = (...words: string[]) => on.visitor.answer<Played>('plays', play, ...words);

const drawing = (page: Page, step: string) =>
  page.getByRole('region', { name: 'What it does' }).getByRole('listitem').filter({ hasText: step }).last();
const rowOf = (page: Page, account: string) =>
  page
    .getByRole('list', { name: 'Runs', exact: true })
    .locator('> li')
    .filter({ hasText: `For the account ${account}` });
const mark = (page: Page, account: string, name: string) =>
  page
    .getByRole('list', { name: `Where the run for the account ${account} stands` })
    .getByRole('listitem')
    .filter({ hasText: name });
const stepOf = (page: Page, account: string, title: string) =>
  page
    .getByRole('list', { name: `Steps of the run for the account ${account}` })
    .locator('> li')
    .filter({ hasText: title });

onEach('on a %s a reader sees where each run stands, while it goes from step to step', async (screen) => {
  const board = company(`drawn-${screen}-${randomUUID().slice(0, 8)}`, 3, 'c-suite');
  await on.visitor.accepted('crm', board.known());
  const { page } = await on.enter({ on: screen });
  const again = await crash('paid-media-agent');
  try {
    await on.visitor.accepted('website', board.compare());
    // Nobody reads the page again: what happens appears on it.
    await page.goto(`/plays/${play}`);
    await settled(page);
    await rowOf(page, board.id).waitFor(patience);
    await mark(page, board.id, 'Proposals').getByText('waits').waitFor(patience);
    await mark(page, board.id, '2 tasks').getByText('under way').waitFor();
    await mark(page, board.id, 'Start').getByText('done').waitFor();

    const { steps, runs } = await asPrinted();
    const at = (title: string) => steps.find((step) => step.title === title)?.runs as Standing;
    const { here } = at('Be visible while the account compares');
    expect(here).toBeGreaterThan(0);
    await drawing(page, 'Be visible while the account compares')
      .getByText(here === 1 ? '1 run is here now' : `${here} runs are here now`)
      .waitFor();
    const { waits } = at('Each proposal is judged');
    expect(waits).toBeGreaterThan(0);
    await drawing(page, 'Each proposal is judged')
      .getByText(waits === 1 ? '1 waits for a person' : `${waits} wait for a person`)
      .waitFor();

    await page.getByRole('radiogroup', { name: 'Which runs' }).getByText(`Under way (${runs.live})`).click();
    await settled(page);
    await rowOf(page, board.id).waitFor();
    const rows = page.getByRole('list', { name: 'Runs', exact: true }).locator('> li');
    expect(await rows.count()).toBe(runs.live);
    expect((await asPrinted('--live')).latest.map(({ subject }) => subject.id)).toContain(board.id);

    await rowOf(page, board.id)
      .getByRole('button', { name: `Show the steps for the account ${board.id}` })
      .click();
    const task = stepOf(page, board.id, 'Be visible while the account compares');
    await task.getByText('paid-media-agent has not answered yet.').waitFor();
    await task.getByText(/^Under way since .+ ago\), answer due in \d+ minutes$/).waitFor();
    await stepOf(page, board.id, 'Follow up with everyone who compares')
      .getByText(/^Done .+ ago\)$/)
      .waitFor();
    const proposals = stepOf(page, board.id, 'Each proposal is judged');
    await proposals
      .getByRole('list', { name: 'Actions of this run' })
      .getByText('waits for a person')
      .first()
      .waitFor();
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  } finally {
    await again();
  }
  // The agent is back: its task is done, on the open page.
  await mark(page, board.id, '2 tasks').getByText('done').waitFor(patience);
  const task = stepOf(page, board.id, 'Be visible while the account compares');
  await task.getByText(/^paid-media-agent (proposed|declined)/).waitFor();

  const { latest } = await asPrinted('--live');
  const { runId } = latest.find(({ subject }) => subject.id === board.id) as Played['latest'][number];
  const { out } = await on.visitor.cli('plays', '--run', runId);
  expect(out).toMatch(/ done +Follow up with everyone who compares \(sequencing-agent\)/);
  expect(out).toMatch(/ waits +Each proposal is judged/);

  await task.getByRole('link', { name: 'Its story: Be visible while the account compares' }).click();
  await settled(page);
  await page.getByRole('list', { name: 'Steps' }).getByText('paid-media-agent').first().waitFor();
});

onEach('on a %s a run of the sample that is over shows what each of its steps came to', async (screen) => {
  const { page } = await on.enter({ on: screen });
  await page.goto('/plays/return-below-floor');
  await settled(page);
  const over = page
    .getByRole('list', { name: 'Runs', exact: true })
    .locator('> li')
    .filter({ has: page.getByText('ended', { exact: true }) })
    .first();
  await over.getByRole('button', { name: /^Show the steps/ }).click();
  const steps = over.getByRole('list', { name: /^Steps of the run/ }).locator('> li');
  await steps.last().getByRole('list', { name: 'Actions of this run' }).waitFor();
  expect(await steps.evaluateAll((all) => all.map((step) => step.getAttribute('data-state')))).toEqual([
    ...['done', 'done', 'done'],
  ]);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  // Whoever closes it sees the list as before.
  await over.getByRole('button', { name: /^Hide the steps/ }).click();
  expect(await over.getByRole('list', { name: /^Steps of the run/ }).count()).toBe(0);
});

test('a play that has not run, and a play without a run under way, say so', async () => {
  const { page } = await on.enter({ on: 'phone' });
  await page.route('**/v1/plays/return-below-floor/runs?*', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...((await response.json()) as object), runs: [], next: null } });
  });
  await page.goto('/plays/return-below-floor');
  await page.getByRole('heading', { name: 'This play has not run yet' }).waitFor();
  await page
    .getByRole('radiogroup', { name: 'Which runs' })
    .getByText(/^Under way/)
    .click();
  await page.getByRole('heading', { name: 'No run is under way' }).waitFor();
  expect(await objections(page)).toEqual([]);
});
