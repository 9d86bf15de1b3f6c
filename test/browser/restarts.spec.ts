import pg from 'pg';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { crash } from '../flows/installation.js';
import { stage } from './stage.js';
import { approvedOnce, waiting } from './waiting.js';

/*
 * A service, the broker, the database or the connected system dies in the middle of an answer, or the recorder under a story, and comes
 * back: the answer counts once, and the page says what is known. The intake of signals, the plays and the agents take no part in an
 * answer: from the console it goes to the validator, and its approval to the executor.
 */

const on = stage();
let messages: Awaited<ReturnType<typeof waiting>>;
beforeAll(async () => {
  // One run of the play writes to the three people that started it.
  messages = [...(await waiting(on.visitor, 3)), ...(await waiting(on.visitor, 3))];
});
let used = 0;
const next = () => messages[used++] as (typeof messages)[number];

const approve = (page: Page) => page.getByRole('button', { name: /^Approve and / });
const patience = { timeout: 60_000 };

/** Messages to this person that went out. */
async function sentTo({ action }: (typeof messages)[number]): Promise<number> {
  const { messages: sent } = await on.visitor.sandbox<{ messages: { contactId: string }[] }>('mailer/messages');
  return sent.filter(({ contactId }) => contactId === action.payload.contactId).length;
}

/** What there is of an action that was approved once: one answer, one approval, one message. */
async function expectOnce(message: (typeof messages)[number]): Promise<void> {
  await approvedOnce(on.visitor, message.proposalId);
  expect(await sentTo(message)).toBe(1);
}

test('the validator dies before it has judged the answer: the page says that it waits, and then what came of it', async () => {
  const message = next();
  const { page } = await on.enter();
  await page.goto(`/reviews/${message.proposalId}`);
  await approve(page).waitFor();
  const again = await crash('guardrail-validator');
  try {
    await approve(page).click();
    await page.getByText('Sent. Waiting for the verdict').waitFor();
    expect(await approve(page).count()).toBe(0);
    expect(on.visitor.eventsOf('ActionApproved', (a) => a.proposalId === message.proposalId)).toEqual([]);
  } finally {
    await again();
  }
  await page.getByText('Done: it was carried out.').waitFor(patience);
  await expectOnce(message);
});

test('the executor dies before it has carried the answer out: the page says that it was approved and not yet done', async () => {
  const message = next();
  const { page } = await on.enter({ on: 'phone' });
  await page.goto(`/reviews/${message.proposalId}`);
  await approve(page).waitFor();
  const again = await crash('action-executor');
  try {
    await approve(page).click();
    await page.getByRole('status').filter({ hasText: 'Approved' }).getByText('It is being carried out.').waitFor();
    expect(await page.getByText('Done: it was carried out.').count()).toBe(0);
    await approvedOnce(on.visitor, message.proposalId);
    expect(await sentTo(message)).toBe(0);
  } finally {
    await again();
  }
  await page.getByText('Done: it was carried out.').waitFor(patience);
  await expectOnce(message);
});

test('the broker dies before the answer reaches the validator: the page says that it is kept, and nothing has to be sent again', async () => {
  const message = next();
  const { page } = await on.enter();
  await page.goto(`/reviews/${message.proposalId}`);
  await approve(page).waitFor();
  const again = await crash('broker');
  try {
    await approve(page).click();
    await page.getByText('Sent. Waiting for the verdict').waitFor();
    await page.getByText('The answer is kept and nothing has to be sent again.', { exact: false }).waitFor(patience);
    expect(await approve(page).count()).toBe(0);
    expect(await sentTo(message)).toBe(0);
  } finally {
    await again();
  }
  await page.getByText('Done: it was carried out.').waitFor(patience);
  await expectOnce(message);
});

test('the database is away when the answer is given: the page does not say that it arrived, and the same answer counts once it is back', async () => {
  const message = next();
  const { page } = await on.enter();
  await page.goto(`/reviews/${message.proposalId}`);
  await approve(page).waitFor();
  await page.getByText(/^as of /).waitFor();
  const back = await crash('database');
  const again = page.getByRole('button', { name: 'Send the same answer again' });
  try {
    await approve(page).click();
    await again.waitFor(patience);
    expect(await page.getByText('You approved it').count()).toBe(0);
    expect(await page.getByText('Sent. Waiting for the verdict').count()).toBe(0);
  } finally {
    await back();
  }
  // Who presses it while the console looks for its database is told again that it is not known.
  await expect
    .poll(
      async () => {
        if ((await again.count()) > 0 && (await again.isEnabled())) await again.click();
        return page.getByText('You approved it').count();
      },
      { ...patience, interval: 1_000 },
    )
    .toBe(1);
  await page.getByText('Done: it was carried out.').waitFor(patience);
  await expectOnce(message);
});

test('the console dies after it took the answer and before it said so: the page finds out, and nothing is sent again', async () => {
  const message = next();
  const { page } = await on.enter();
  await page.goto(`/reviews/${message.proposalId}`);
  await approve(page).waitFor();
  await page.getByText(/^as of /).waitFor();
  let sent = 0;
  let again: (() => Promise<void>) | undefined;
  await page.route(`**/v1/reviews/${message.proposalId}`, async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    sent++;
    await route.fetch();
    again = await crash('console');
    return route.abort('connectionreset');
  });
  await approve(page).click();
  const unknown = page.getByRole('alert').filter({ hasText: 'We do not know whether your answer arrived' });
  try {
    await unknown.waitFor();
    await page.getByRole('status').filter({ hasText: 'No connection: this may be old' }).waitFor();
    expect(await page.getByText('You approved it').count()).toBe(0);
  } finally {
    await again?.();
  }
  await page.getByText('You approved it').waitFor(patience);
  expect(await unknown.count()).toBe(0);
  await page.getByText('Done: it was carried out.').waitFor(patience);
  expect(sent).toBe(1);
  await expectOnce(message);
});

test('the console is away when the answer is given: it is not lost, and its author sends it once the console is back', async () => {
  const message = next();
  const { page } = await on.enter();
  await page.goto(`/reviews/${message.proposalId}`);
  await approve(page).waitFor();
  const back = await crash('console');
  const again = page.getByRole('button', { name: 'Send the same answer again' });
  try {
    await approve(page).click();
    await again.waitFor();
  } finally {
    await back();
  }
  await page.getByText(/^as of /).waitFor(patience);
  expect(on.visitor.eventsOf('ReviewDecided', ({ subject }) => subject.id === message.proposalId)).toEqual([]);
  await again.click();
  await page.getByText('You approved it').waitFor();
  await approvedOnce(on.visitor, message.proposalId);
});

/** Holds every message in the connected system until `release`; `reached` ends when one is there. */
async function heldMessages() {
  const database = new pg.Client({ connectionString: on.visitor.superuserUrl });
  await database.connect();
  await database.query('BEGIN');
  await database.query('LOCK TABLE sandbox_systems.messages IN SHARE MODE');
  const waits = `SELECT FROM pg_locks WHERE relation = 'sandbox_systems.messages'::regclass AND NOT granted`;
  return {
    reached: () => on.visitor.until('the call', async () => ((await database.query(waits)).rowCount ?? 0) > 0),
    // Whoever ends a connection gives up its locks.
    release: () => database.end(),
  };
}

test('the connected system dies while the approved call is in it: the page says that nobody knows, and a person who looked ends it', async () => {
  const [message] = await waiting(on.visitor, 1);
  const proposalId = message?.proposalId as string;
  const { page } = await on.enter({ on: 'phone' });
  await page.goto(`/reviews/${proposalId}`);
  await approve(page).waitFor();
  const held = await heldMessages();
  let again: (() => Promise<void>) | undefined;
  try {
    await approve(page).click();
    await held.reached();
    await page.getByRole('status').filter({ hasText: 'Approved' }).getByText('It is being carried out.').waitFor();
    again = await crash('sandbox-systems');
    await held.release();
    await page.getByText('Nobody knows yet whether it was carried out. A person has to look.').waitFor(patience);
    expect(await page.getByText('Done: it was carried out.').count()).toBe(0);
  } finally {
    await again?.();
  }
  // The system may have carried out what it could not answer any more. Nothing calls it a second time.
  const sent = await sentTo(message as (typeof messages)[number]);
  const [approved] = on.visitor.eventsOf('ActionApproved', (a) => a.proposalId === proposalId);
  const found = sent === 1 ? '--executed' : '--failed';
  const settled = await on.visitor.cli('settle', approved?.permitId as string, found, '--note', 'its list of messages');
  expect(settled, settled.err).toMatchObject({ code: 0 });
  await page.getByText(sent === 1 ? 'Done: it was carried out.' : 'It was tried and failed.').waitFor(patience);
  await approvedOnce(on.visitor, proposalId);
  expect(await sentTo(message as (typeof messages)[number])).toBe(sent);
  expect(sent).toBeLessThanOrEqual(1);
});

test('the recorder dies while a story is open: what was proved stays, what comes is not called proved, and is proved once the recorder is back', async () => {
  const [message] = await waiting(on.visitor, 1);
  const proposalId = message?.proposalId as string;
  const { page } = await on.enter();
  await page.goto(`/stories/${proposalId}`);
  const allProved = page.getByText(/^(\d+) of \1 steps are in the record$/);
  await allProved.waitFor(patience);
  const steps = page.locator('.story-steps > li');
  const proved = steps.filter({ hasText: /In the record at entry/ });
  const before = await proved.count();
  const again = await crash('audit-recorder');
  try {
    expect(await on.visitor.cli('review', 'approve', proposalId, '--yes')).toMatchObject({ code: 0 });
    await steps.filter({ hasText: 'Not checked' }).first().waitFor(patience);
    await page.getByText(/The record at .* does not answer this browser\. This page asks again\./).waitFor(patience);
    expect(await proved.count()).toBe(before);
    expect(await allProved.count()).toBe(0);
  } finally {
    await again();
  }
  await allProved.waitFor(patience);
  expect(await proved.count()).toBe(await steps.count());
  expect(await proved.count()).toBeGreaterThan(before);
});
