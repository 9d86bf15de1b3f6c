import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataOf } from '@countersign/contracts';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crash } from '../flows/installation.js';
import { company } from '../flows/signals.js';
import { objections, settled, tooWide } from './looks.js';
import type { Screen } from './person.js';
import { stage } from './stage.js';

/* A play asks a person before it gives its tasks: the person reads the card, answers, and learns what came of the answer. */

const on = stage();
const onEach = test.each<Screen>(['desktop', 'phone']);
const play = 'asks-first';
const title = 'Comparison, if a person agrees';
const patience = { timeout: 60_000 };
type Asked = DataOf<'TaskEscalated'>;

const folder = () => join(on.installed.home, 'config/plays');
/** The shipped play of the comparisons, for signals of its own, with a checkpoint. */
function publish(purpose = 'Be visible while the account compares') {
  const shipped = readFileSync(join(folder(), 'tier-1-comparison-surge.yaml'), 'utf8');
  const own = shipped
    .replace(/^id: .*$/m, `id: ${play}`)
    .replace(/^title: .*$/m, `title: ${title}`)
    .replace('topic: comparison', `topic: ${play}`)
    .replace('purpose: Be visible while the account compares', `purpose: ${purpose}`)
    .replace(/^tasks:$/m, 'checkpoint:\n  reviewers: [lea]\n  withinMinutes: 240\ntasks:');
  writeFileSync(join(folder(), `${play}.yaml`), own);
  return on.visitor.cli('policy', 'publish');
}

/** People of a new account do what starts the play. */
async function compared(): Promise<string> {
  const board = company(`asked-${randomUUID().slice(0, 8)}`);
  await on.visitor.accepted('crm', board.known());
  const signals = board.compare();
  await on.visitor.accepted(
    'website',
    signals.map((signal) => ({ ...signal, data: { ...signal.data, topic: play } })),
  );
  return board.id;
}
const askedFor = (accountId: string) =>
  on.visitor.eventsOf('TaskEscalated', (asked) => asked.accountId === accountId)[0];

/** A checkpoint that waits for lea; the console lists it. */
async function waiting(): Promise<Asked> {
  const account = await compared();
  const asked = await on.visitor.until('the play to ask', () => askedFor(account));
  await on.visitor.until('the console to list it', async () =>
    (await on.visitor.cli('review', 'list')).out.includes(asked.checkpointId),
  );
  return asked;
}

beforeAll(async () => {
  const { code, out, err } = await publish();
  expect([code, out, err]).toEqual([0, expect.any(String), expect.any(String)]);
  // Signals before the orchestrator has read the play start nothing.
  const asked = () => on.visitor.eventsOf('TaskEscalated', (event) => event.play.id === play).length > 0;
  await on.visitor.until('the orchestrator to know the play', async () => {
    await compared();
    for (let looks = 0; looks < 30 && !asked(); looks++) await sleep(100);
    return asked();
  });
});

/** Both end when every service applies it. */
async function stop(reason: string): Promise<void> {
  const { code, err } = await on.visitor.cli('stop', '--play', play, '--reason', reason);
  expect([code, err]).toEqual([0, '']);
}
const resume = () => on.visitor.cli('resume', '--play', play, '--reason', 'the test is over');

afterAll(async () => {
  await resume();
  rmSync(join(folder(), `${play}.yaml`), { force: true });
  await on.visitor.cli('policy', 'publish');
});

const approve = (page: Page) => page.getByRole('button', { name: 'Approve and start 2 tasks now' });
/** Approves although the page says what is lost. */
async function approveAllTheSame(page: Page, loss: string): Promise<void> {
  await page.getByRole('button', { name: 'Approve all the same' }).click();
  const doubt = page.getByRole('dialog', { name: 'Approve it all the same?' });
  await doubt.getByText(loss, { exact: false }).waitFor();
  await doubt.getByRole('button', { name: 'Yes, approve it' }).click();
}
const status = (page: Page, title: string) => page.getByRole('status').filter({ hasText: title });
const shown = async (asked: Asked): Promise<string> =>
  (await on.visitor.cli('review', 'show', asked.checkpointId)).out.replace(/\s+/g, ' ');

async function open(page: Page, asked: Asked): Promise<void> {
  await page.goto(`/reviews/${asked.checkpointId}`);
  await approve(page).waitFor();
}

/** What the topics hold of a checkpoint. Nothing may be there twice. */
async function expectOnce(asked: Asked, outcome: 'assigned' | DataOf<'TaskWithheld'>['outcome']): Promise<void> {
  const answers = () => on.visitor.eventsOf('ReviewDecided', ({ subject }) => subject.id === asked.checkpointId);
  const assigned = () => on.visitor.eventsOf('TaskAssigned', (task) => task.play.runId === asked.play.runId);
  const ends = () => on.visitor.eventsOf('TaskWithheld', (end) => end.checkpointId === asked.checkpointId);
  await on.visitor.until('the end of the checkpoint', () => assigned().length > 0 || ends().length > 0);
  expect(answers()).toHaveLength(1);
  expect(ends().map((end) => end.outcome)).toEqual(outcome === 'assigned' ? [] : [outcome]);
  expect(
    assigned()
      .map(({ taskId }) => taskId)
      .sort(),
  ).toEqual(outcome === 'assigned' ? asked.tasks.map(({ taskId }) => taskId).sort() : []);
}

onEach('on a %s somebody reads what the play asks, and approves it: its tasks go out', async (screen) => {
  const asked = await waiting();
  const { page } = await on.enter({ on: screen });
  // Other tests leave reviews, and a long list has only the rows on the screen.
  await page.goto(`/reviews?play=${play}`);
  await page
    .getByRole('link')
    .filter({ hasText: `go on for ${asked.accountId} with 2 tasks` })
    .click();
  await settled(page);
  await approve(page).waitFor();
  await page.getByText('If nobody answers, no task goes out, and this run of the play is over.').waitFor();
  await page.getByText('This play asks a person each time', { exact: false }).waitFor();
  await page.getByText('3 contacts', { exact: true }).waitFor();
  await page
    .getByRole('listitem')
    .filter({ hasText: 'Be visible while the account compares' })
    .getByText('paid-media-agent may set the bid of a campaign or move daily budget from one campaign to another.', {
      exact: false,
    })
    .waitFor();
  await page.getByText('It has 30 minutes from the moment when the task goes out.').first().waitFor();
  // No word of an ordinary review: no rule judges a checkpoint.
  expect(await page.locator('main').textContent()).not.toMatch(/refused|rules? (is|are|would)|ads\.|sequence\./i);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  expect(await shown(asked)).toContain('If nobody answers, no task goes out, and this run of the play is over.');

  await approve(page).click();
  await status(page, 'Approved: the tasks went out').getByText('You approved it').waitFor(patience);
  expect(await approve(page).count()).toBe(0);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  await expectOnce(asked, 'assigned');
  await page.getByRole('link', { name: 'The play “Comparison, if a person agrees”' }).click();
  await page.getByText(`For the account ${asked.accountId}`).first().waitFor();
});

onEach(
  'on a %s somebody rejects it with a reason: no task goes out, and the card says what can follow',
  async (screen) => {
    const asked = await waiting();
    const { page } = await on.enter({ on: screen });
    await open(page, asked);
    await page.getByRole('button', { name: 'Reject', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Reject' });
    await dialog.getByRole('radio', { name: 'The wrong account or campaign' }).check();
    await dialog.getByLabel('Note').fill('They signed yesterday.');
    expect(await objections(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Reject: no task goes out' }).click();
    const ended = status(page, 'Rejected: no task goes out').filter({ hasText: 'when its cool-down has passed' });
    await ended.getByText('You rejected it').waitFor(patience);
    await page.getByText('They signed yesterday.', { exact: false }).waitFor();
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
    await expectOnce(asked, 'rejected');
    expect(await shown(asked)).toContain('No task goes out: rejected by lea');
    await page.goto('/reviews?state=refused');
    await page
      .getByRole('link')
      .filter({ hasText: String(asked.accountId) })
      .getByText('Rejected')
      .waitFor();
  },
);

onEach('on a %s the card warns, and an approval ends with the reason in place of waiting for ever', async (screen) => {
  const reason = 'the figures of the campaign are wrong';
  const asked = await waiting();
  const { page } = await on.enter({ on: screen });
  await open(page, asked);
  await stop(reason);
  await page
    .getByRole('alert')
    .filter({ hasText: `lea stopped the play “${title}”` })
    .getByText(reason)
    .waitFor();
  await page.getByText('Stopped. If you approve it now, no task goes out, and it cannot be approved later.').waitFor();
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  await approveAllTheSame(page, 'No task would go out now, and it cannot be approved later. Wait for the resume, or');
  const ended = status(page, 'Approved, but no task went out');
  await ended.getByText(`Lea stopped the play “${title}”: ${reason}.`, { exact: false }).waitFor(patience);
  await ended.getByText('It cannot be approved again.', { exact: false }).waitFor();
  expect(await page.getByText('The tasks are not out yet').count()).toBe(0);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  await expectOnce(asked, 'suppressed');
  expect(await shown(asked)).toContain(
    `No task goes out: approved by lea, but lea stopped the play ${play}: ${reason}`,
  );

  // Somebody else reads the same later, and so does the story.
  const colleague = await on.colleague({ on: screen });
  await colleague.page.goto(`/reviews/${asked.checkpointId}`);
  await status(colleague.page, 'Approved, but no task went out').getByText('lea approved it').waitFor();
  await resume();
  await page.reload();
  await ended.waitFor();
  await page.getByRole('link', { name: 'What happened so far' }).click();
  await page.getByText(`approved by lea, but lea stopped the play ${play}`, { exact: false }).first().waitFor();
});

test('a play that is changed after it asked is told on the card, and an approval lets no task out', async () => {
  const asked = await waiting();
  const { page } = await on.enter();
  await open(page, asked);
  try {
    expect((await publish('Be visible in another way')).code).toBe(0);
    await page.getByRole('alert').filter({ hasText: 'The play was changed after it asked' }).waitFor(patience);
    await page.getByText('The play was changed after it asked. Approving lets no task go out.').waitFor();
    expect(await objections(page)).toEqual([]);
    await approveAllTheSame(page, 'No task would go out, and it cannot be approved later. Reject it, or let');
    await status(page, 'Approved, but no task went out')
      .getByText(`The play “${title}” was changed after it asked.`, { exact: false })
      .waitFor(patience);
    await expectOnce(asked, 'suppressed');
  } finally {
    await publish();
  }
});

onEach(
  'on a %s the orchestrator dies before it has read the approval: nothing is lost and nothing is double',
  async (screen) => {
    const asked = await waiting();
    const { page } = await on.enter({ on: screen });
    await open(page, asked);
    const again = await crash('orchestrator');
    try {
      await approve(page).click();
      await status(page, 'Sent. The tasks are not out yet').getByText('You approved it').waitFor();
      await page.getByText('The answer is kept and nothing has to be sent again.', { exact: false }).waitFor(patience);
      expect(await approve(page).count()).toBe(0);
      expect(await objections(page)).toEqual([]);
    } finally {
      await again();
    }
    await status(page, 'Approved: the tasks went out').waitFor(patience);
    await expectOnce(asked, 'assigned');
  },
);

test('a stop that is ordered while the orchestrator is away holds for an approval from before, and the card says so', async () => {
  const asked = await waiting();
  const { page } = await on.enter();
  await open(page, asked);
  const again = await crash('orchestrator');
  try {
    await approve(page).click();
    await status(page, 'Sent. The tasks are not out yet').waitFor();
    await stop('after the answer');
  } finally {
    await again();
  }
  try {
    await status(page, 'Approved, but no task went out')
      .getByText('after the answer', { exact: false })
      .waitFor(patience);
    await expectOnce(asked, 'suppressed');
  } finally {
    await resume();
  }
});

test('the orchestrator dies before it has read the rejection: the card says what is known, and the end comes once', async () => {
  const asked = await waiting();
  const { page } = await on.enter({ on: 'phone' });
  await open(page, asked);
  const again = await crash('orchestrator');
  try {
    await page.getByRole('button', { name: 'Reject', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Reject' });
    await dialog.getByRole('radio', { name: 'Not needed' }).check();
    await dialog.getByRole('button', { name: 'Reject: no task goes out' }).click();
    await status(page, 'Rejected: no task goes out').getByText('You rejected it').waitFor();
  } finally {
    await again();
  }
  await status(page, 'Rejected: no task goes out')
    .getByText('when its cool-down has passed', { exact: false })
    .waitFor(patience);
  await expectOnce(asked, 'rejected');
});
