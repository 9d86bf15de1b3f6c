import type { DataOf } from '@countersign/contracts';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { company } from '../flows/signals.js';
import { expectHandledOnce, type Mended, mendedTasks } from './dead-letters.js';
import { makeAgain } from './gaps.js';
import { cutOrOver, objections, settled, tooWide } from './looks.js';
import { type Screen, screens } from './person.js';
import { sight, stage } from './stage.js';
import { resumeBy, stopBy } from './stopping.js';
import { shiftToAsk } from './waiting.js';

/* Guides of the runbook, each from its first step to its last. */

const on = stage();
const all = Object.keys(screens) as Screen[];
const agent = 'paid-media-agent';

/** For each screen: an action that the connected system never answers, and a task that its agent could not take. */
let unresolved: readonly DataOf<'ActionApproved'>[];
let mended: readonly Mended[];
beforeAll(async () => {
  const mute = all.map((screen) => company(`mute-${screen}`));
  for (const { known, compare } of mute) {
    await on.visitor.accepted('crm', known());
    await on.visitor.accepted('website', compare());
  }
  mended = await mendedTasks(on.visitor, all.length);
  unresolved = await Promise.all(
    mute.map(({ id }) =>
      on.visitor.until('an action that nobody can tell of', () =>
        on.visitor
          .eventsOf('ActionApproved', (a) => a.action.kind === 'crm.create_task' && a.action.accountId === id)
          .find(({ permitId }) => ends(permitId).length > 0),
      ),
    ),
  );
});
afterAll(async () => {
  await on.visitor.cli('resume', '--agent', agent, '--reason', 'the test is over');
});

const ends = (permitId: string) => on.visitor.eventsOf('ActionSettled', (end) => end.permitId === permitId);

const step = (page: Page, n: number) => page.getByRole('region', { name: `Step ${n}:` });

/** Opens a guide from the list of them, as a person finds it. */
async function open(page: Page, title: string): Promise<void> {
  await page.goto('/runbook');
  await page.getByRole('link', { name: title }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  await settled(page);
}

const expectFit = async (page: Page) =>
  expect([...(await objections(page)), ...(await cutOrOver(page)), ...(await tooWide(page))]).toEqual([]);

test('a guide has a button for what is behind the first page of its list', async () => {
  const { page } = await on.enter();
  await page.route(/\/v1\/(settlements|dead-letters)\?/, (route) =>
    route.continue({
      url: route
        .request()
        .url()
        .replace(/\blimit=\d+/, 'limit=1'),
    }),
  );
  for (const [guide, role, button] of [
    ['Settle what is unresolved', 'radio', 'Show more'],
    ['Handle a dead letter again', 'article', 'Show older ones'],
  ] as const) {
    await open(page, guide);
    const listed = step(page, 1).getByRole(role);
    await expect.poll(() => listed.count(), { timeout: 10_000 }).toBe(1);
    await step(page, 1).getByRole('button', { name: button }).click();
    await expect.poll(() => listed.count(), { timeout: 10_000 }).toBe(2);
  }
});

test.each(all)('on a %s what nobody can tell of is looked into, said and settled, once', async (screen) => {
  const { permitId, proposalId } = unresolved[all.indexOf(screen)] as DataOf<'ActionApproved'>;
  expect(ends(permitId).map(({ outcome }) => outcome)).toEqual(['unresolved']);
  const { page } = await on.enter({ on: screen });
  await open(page, 'Settle what is unresolved');
  await step(page, 1).locator(`input[type=radio][value="${permitId}"]`).check();
  const look = step(page, 2);
  await look.getByText('Open the system behind the connector webhook.').waitFor();
  const story = look.getByRole('link', { name: 'its story' });
  expect(await story.getAttribute('href')).toBe(`/stories/${proposalId}`);
  const submit = step(page, 3).getByRole('button', { name: /^Say that it was/ });
  expect(await submit.isDisabled()).toBe(true);
  await step(page, 3).getByRole('radio', { name: 'It was done' }).check();
  await step(page, 3).getByLabel('How you know it').fill('the ticket is there');
  await expectFit(page);
  await submit.click();
  await step(page, 4).getByRole('status').getByText('action-executor has settled it: it was done.').waitFor();
  expect(ends(permitId).map(({ outcome }) => outcome)).toEqual(['unresolved', 'executed']);
  expect(on.visitor.eventsOf('SettlementDecided', (d) => d.permitId === permitId)).toMatchObject([
    { outcome: 'executed', by: 'lea', note: 'the ticket is there', seen: sight },
  ]);
  await expectFit(page);
});

test.each(all)('on a %s a dead letter is handled again by its guide, and its work is done once', async (screen) => {
  const dead = mended[all.indexOf(screen)] as Mended;
  const { deadLetters } = await on.visitor.answer<{
    deadLetters: { deadLetterId: string; service: string; topic: string; partition: number; offset: string }[];
  }>('dead-letters', 'list', '--service', 'sequencing-agent');
  const { topic, partition, offset } = dead.letter;
  const id = deadLetters.find((d) => d.topic === topic && d.partition === partition && d.offset === offset)
    ?.deadLetterId as string;
  const { page } = await on.enter({ on: screen });
  await open(page, 'Handle a dead letter again');
  const letter = step(page, 1)
    .getByRole('article')
    .filter({ has: page.getByTitle(id) });
  await letter.getByText('Open', { exact: true }).waitFor();
  await letter.getByRole('button', { name: 'Choose this one' }).click();
  const outcome = step(page, 4).getByRole('status');
  await outcome.getByText('Nothing was ordered yet.').waitFor();
  const order = step(page, 3).getByRole('button', { name: 'Handle it again' });
  expect(await order.isDisabled()).toBe(true);
  await step(page, 3).getByLabel('What has changed').fill('the rule of the table that forbade it is gone');
  await expectFit(page);
  await order.click();
  await outcome.getByText('sequencing-agent has handled it.').waitFor();
  await letter.getByText('Handled', { exact: true }).waitFor();
  await letter.getByText('the rule of the table that forbade it is gone').waitFor();
  await expectHandledOnce(on.visitor, dead);
});

interface Queue {
  readonly reviews: { readonly first: readonly { readonly id: string }[] };
}

/** Answers what still waits of the agent, so that one drain knows nothing of what others left. */
async function answerAll(): Promise<void> {
  const { reviews } = await on.visitor.answer<Queue>('queue', '--agent', agent);
  for (const { id } of reviews.first)
    await on.visitor.cli('review', 'reject', id, '--yes', '--category', 'wrong-time', '--note', 'not of this test');
}

test.each(all)('on a %s an agent runs empty: its last review is answered, then it is stopped', async (screen) => {
  await answerAll();
  const { proposalId } = await shiftToAsk(on.visitor);
  const { page } = await on.enter({ on: screen });
  await open(page, 'Let an agent run empty');
  const choose = async () => {
    await step(page, 1).getByLabel('Agent').click();
    await page.getByRole('option', { name: agent }).click();
  };
  const stop = step(page, 4).getByRole('button', { name: `Stop the agent ${agent}` });
  expect(await stop.count()).toBe(0);
  await choose();
  await stop.waitFor();
  const left = step(page, 4).getByRole('status');
  await left.getByText(`1 of ${agent} still under way.`).waitFor({ timeout: 30_000 });
  expect(await step(page, 3).getByRole('link', { name: 'Policy' }).getAttribute('href')).toBe('/policy');
  await expectFit(page);

  await step(page, 1).getByRole('list', { name: 'Under way' }).locator(`a[href="/reviews/${proposalId}"]`).click();
  await page.getByRole('button', { name: 'Reject' }).click();
  const rejecting = page.getByRole('dialog', { name: 'Reject' });
  await rejecting.getByRole('radio', { name: 'The wrong moment' }).check();
  await rejecting.getByRole('button', { name: 'Reject: nothing runs' }).click();
  await page.getByText('Nothing runs.').waitFor();
  await page.goBack();
  await choose();
  await left.getByText(`Nothing of ${agent} is under way.`).waitFor({ timeout: 30_000 });

  await stop.click();
  await stopBy(page.getByRole('dialog', { name: 'Stop' }), 'out of service');
  await step(page, 4).getByText(`lea stopped the agent ${agent}`).waitFor();
  await expectFit(page);
  await step(page, 4)
    .getByRole('button', { name: `Resume the agent ${agent}` })
    .click();
  await resumeBy(page.getByRole('dialog', { name: 'Resume' }), 'it is back');
  for (const reason of ['out of service', 'it is back']) {
    const acts = () => on.visitor.eventsOf('ControlChanged', (control) => control.reason === reason);
    expect(await on.visitor.until(`the event of “${reason}”`, () => acts().at(-1))).toMatchObject({ seen: sight });
  }
});

test.each(all)(
  'on a %s an agent is stopped by the guide and resumed: what it reaches, the stop, that it holds, and that it is over',
  async (screen) => {
    await answerAll();
    const { proposalId } = await shiftToAsk(on.visitor);
    const { page } = await on.enter({ on: screen });
    await open(page, 'Stop');
    await step(page, 3).getByText('No stop of everything is in force.').waitFor();
    await step(page, 1).getByLabel('What to stop').click();
    await page.getByRole('option', { name: agent }).click();
    const reached = step(page, 1).getByRole('list', { name: 'Under way' });
    await reached.getByText('1 review waits for a person').waitFor();
    await reached.locator(`a[href="/reviews/${proposalId}"]`).waitFor();
    for (const [n, command] of [
      [1, `npx countersign queue --agent ${agent}`],
      [2, `npx countersign stop --agent ${agent} --reason "why"`],
      [3, 'npx countersign controls'],
      [4, `npx countersign resume --agent ${agent} --reason "why"`],
    ] as const)
      await step(page, n).getByText(command, { exact: true }).waitFor();
    const hold = step(page, 3);
    await hold.getByText(`No stop of the agent ${agent} is in force.`).waitFor();
    const resume = step(page, 4);
    await resume.getByText('Nothing is stopped, so there is nothing to resume.').waitFor();
    await expectFit(page);

    await step(page, 2)
      .getByRole('button', { name: `Stop the agent ${agent}` })
      .click();
    await stopBy(page.getByRole('dialog', { name: 'Stop' }), `odd shifts on a ${screen}`);
    const held = hold.getByRole('status');
    await held.getByText(`lea stopped the agent ${agent}`, { exact: false }).waitFor();
    await held.getByText(`odd shifts on a ${screen}`, { exact: false }).waitFor();
    await held.getByText('The guardrails confirmed').waitFor();
    await held.getByText('The executor confirmed').waitFor();
    await held.getByText('The validator and every executor of this installation apply it.', { exact: false }).waitFor();
    await expectFit(page);
    // What step 1 says of reviews: what is approved does not run.
    expect(await on.visitor.cli('review', 'approve', proposalId, '--yes')).toMatchObject({ code: 1 });
    await reached.getByText('0 reviews wait for a person').waitFor();
    expect(on.visitor.eventsOf('ActionApproved', (approval) => approval.proposalId === proposalId)).toEqual([]);

    const stopped = resume.getByRole('region', { name: `Stopped: the agent ${agent}` });
    await stopped.getByText(/^lea stopped it .+: odd shifts on a /).waitFor();
    await stopped.getByRole('button', { name: `Resume the agent ${agent}` }).click();
    const why = `they were right on a ${screen}`;
    await resumeBy(page.getByRole('dialog', { name: 'Resume' }), why);
    const over = resume.getByRole('status');
    await over.getByText(`lea resumed the agent ${agent}`, { exact: false }).waitFor();
    await over.getByText(why, { exact: false }).waitFor();
    await over.getByText('The guardrails confirmed').waitFor();
    await over.getByText('The executor confirmed').waitFor();
    await hold.getByText(`No stop of the agent ${agent} is in force.`).waitFor();
    await resume.getByText('Nothing is stopped, so there is nothing to resume.').waitFor();
    await expectFit(page);
    expect(
      await on.visitor.until('the event of the resume', () =>
        on.visitor.eventsOf('ControlChanged', (control) => control.reason === why).at(-1),
      ),
    ).toMatchObject({ state: 'running', scope: `agent:${agent}`, by: 'lea', seen: sight });
  },
);

/** Without a gap there are no steps to follow. */
const allClosed = (page: Page) => page.getByRole('region', { name: 'Whether all gaps are closed' });
const noneWaits = (page: Page) => page.getByRole('heading', { name: 'No gap waits for a person' });
/** Services need a few seconds to notice what happened to a topic. */
const toNotice = { timeout: 90_000 };
/** For each screen a topic that nobody else uses meanwhile; the recorder and the console read it. */
const topicsOfGaps: Readonly<Record<Screen, string>> = {
  desktop: 'reveals.answered.v1',
  phone: 'sessions.ended.v1',
};

test.each(all)(
  'on a %s a gap that arises is shown, acknowledged with a note, and closed by its services',
  async (screen) => {
    const topic = topicsOfGaps[screen];
    const { page } = await on.enter({ on: screen });
    await open(page, 'Acknowledge a gap');
    await noneWaits(page).waitFor();
    await allClosed(page).getByText('No service reports an open gap.').waitFor();
    await expectFit(page);

    await makeAgain(on.installed, topic);
    const choice = step(page, 1).getByRole('radio', { name: topic });
    await choice.waitFor(toNotice);
    await step(page, 1).getByText('2 gaps of audit-recorder and console').waitFor(toNotice);
    await choice.check();
    await step(page, 2).getByText('The topic was deleted and made again.').waitFor();
    await step(page, 4).getByText('There are open gaps that nobody has acknowledged.').waitFor();
    const submit = step(page, 3).getByRole('button', { name: /^Acknowledge/ });
    expect(await submit.isDisabled()).toBe(true);
    await step(page, 3).getByLabel('What was lost').fill('a tool deleted it; nothing was unread');
    await expectFit(page);

    // What is no open gap any more, because the page was left open or a value was changed, is not taken for acknowledged.
    const path = '**/v1/gaps/acknowledged';
    await page.route(path, (route) => {
      const body = route.request().postDataJSON() as { from: number } | null;
      return route.continue(body ? { postData: { ...body, from: body.from + 1_000 } } : {});
    });
    await submit.click();
    const refusal = step(page, 3).getByRole('alert');
    await refusal.getByText('No such gap').waitFor();
    await refusal.getByText('countersign gaps').waitFor();
    expect(await step(page, 4).getByRole('article').filter({ hasText: topic }).count()).toBe(0);
    await page.unroute(path);

    await step(page, 3)
      .getByRole('checkbox', { name: /^console/ })
      .uncheck();
    await step(page, 3).getByRole('button', { name: 'Acknowledge 1 gap' }).click();
    const closedBy = (service: string) =>
      page
        .getByRole('article', { name: `Gap of ${service}` })
        .filter({ hasText: topic })
        .getByText(`Closed: ${service} does not report it any more.`);
    await closedBy('audit-recorder').waitFor(toNotice);
    expect(await closedBy('console').count()).toBe(0);
    await step(page, 3).getByRole('button', { name: 'Acknowledge 1 gap' }).click();
    await closedBy('console').waitFor(toNotice);
    await noneWaits(page).waitFor();
    await allClosed(page).getByText('No service reports an open gap.').waitFor();
    await expectFit(page);
    expect(await on.visitor.cli('gaps')).toMatchObject({ code: 0, out: expect.stringContaining('No gaps.') });
    expect(on.visitor.eventsOf('GapAcknowledged', (word) => word.topic === topic)).toMatchObject([
      { service: 'audit-recorder', by: 'lea', note: 'a tool deleted it; nothing was unread', seen: sight },
      { service: 'console', by: 'lea', seen: sight },
    ]);
  },
);
