import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DataOf, digestOf, sourceOf, toBinary, topics } from '@countersign/contracts';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { come, oneTimeLink, openLink, type Person, type Screen, signedIn } from './person.js';
import { stage } from './stage.js';
import { waiting } from './waiting.js';

/* What happens while somebody has a card open: its content changes, the session ends, a colleague answers, the deadline passes. */

const on = stage();
type Message = DataOf<'ActionEscalated'>;
let messages: readonly Message[];
/** Its deadline is a minute away when the file begins, and its reader stays until then. */
let short: Message;
let reader: Person;
let isHeldOpen = true;

/** The charter in force says how long a review may take, so it is another one for as long as this takes. */
async function withinAMinute(): Promise<Message> {
  const file = join(on.installed.home, 'config/charters/sequencing-agent.yaml');
  const shipped = readFileSync(file, 'utf8');
  const publish = async (text: string) => {
    writeFileSync(file, text);
    const { code, err } = await on.visitor.cli('policy', 'publish');
    expect(code, err).toBe(0);
  };
  await publish(shipped.replace(/^reviewWithinMinutes: \d+$/m, 'reviewWithinMinutes: 1'));
  try {
    return await on.visitor.until('a review of one minute', async () => {
      const [message] = await waiting(on.visitor, 1);
      // The validator may not go by the new charter yet.
      return message && Date.parse(message.deadline) - Date.parse(message.verdict.at) === 60_000 && message;
    });
  } finally {
    await publish(shipped);
  }
}

beforeAll(async () => {
  messages = [...(await waiting(on.visitor, 3)), ...(await waiting(on.visitor, 3)), ...(await waiting(on.visitor, 3))];
  short = await withinAMinute();
  reader = await come(on.browser, on.installed, { on: 'phone', ...(await signedIn(on.browser, on.installed)) });
  // The console's answers to this page do not say that it has expired until they may.
  await reader.page.route(`**/v1/reviews/${short.proposalId}`, async (route) => {
    const response = await route.fetch();
    const card = (await response.json()) as { state: string };
    await route.fulfill({ response, json: isHeldOpen && card.state === 'expired' ? { ...card, state: 'open' } : card });
  });
  await reader.page.goto(`/reviews/${short.proposalId}`);
});
afterAll(async () => {
  await reader?.leave();
  expect(reader?.mishaps ?? []).toEqual([]);
});

let used = 0;
const next = () => messages[used++] as Message;
const approve = (page: Page) => page.getByRole('button', { name: /^Approve and / });
const decisions = (id: string) => on.visitor.eventsOf('ReviewDecided', ({ subject }) => subject.id === id);

/** The same proposal asks again with another subject, as after a restore of the validator from before its first question. */
async function askAgain(message: Message, subject: string): Promise<void> {
  const action = {
    ...message.action,
    actionId: randomUUID(),
    payload: { ...message.action.payload, subject },
  };
  const verdict = { ...message.verdict, at: new Date().toISOString() };
  const data: Message = { ...message, action, actionId: action.actionId, digest: digestOf(action), verdict };
  const { name } = topics.actionsEscalated;
  const event = { id: randomUUID(), source: sourceOf('guardrail-validator'), type: 'ActionEscalated' as const };
  const producer = on.visitor.kafka('guardrail-validator').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const place = { key: action.accountId ?? action.actionId, ...toBinary({ ...event, time: verdict.at, data }) };
  await producer.send({ topic: name, acks: -1, messages: [place] });
  await producer.disconnect();
}

test('a card that changes while it is read says what changed; an answer to the old content is refused with what to do', async () => {
  const message = next();
  const address = `/reviews/${message.proposalId}`;
  const { page } = await on.enter({ on: 'phone' });
  await page.goto(address);
  await approve(page).waitFor();
  await page.getByText(/^as of /).waitFor();
  // Marc's page cannot read it again while it changes.
  const { page: late } = await on.colleague();
  await late.goto(address);
  await approve(late).waitFor();
  await late.route(`**/v1/reviews/${message.proposalId}`, (route) =>
    route.request().method() === 'GET' ? route.abort() : route.fallback(),
  );

  await askAgain(message, 'Another subject');
  const change = page.getByRole('alert').filter({ hasText: 'This changed while you were reading' });
  await change.getByText(`Subject: ${message.action.payload.subject} is now Another subject`).waitFor();
  expect(await approve(page).count()).toBe(0);

  await approve(late).click();
  const refusal = late.getByRole('alert').filter({ hasText: 'Another digest' });
  await refusal.getByText(/look at it again and answer with its present digest/i).waitFor();
  await late.unroute(`**/v1/reviews/${message.proposalId}`);
  await late.getByText('This changed while you were reading').waitFor({ timeout: 30_000 });
  const old = await on.visitor.cli('review', 'approve', message.proposalId, '--yes', '--digest', message.digest);
  expect(old.code).not.toBe(0);
  expect(decisions(message.proposalId)).toEqual([]);

  // Who has read it may answer again, and has looked only at the new content: not longer than this test since they said so.
  const since = performance.now();
  await change.getByRole('button', { name: 'I have read it: let me answer' }).click();
  // The new content is not the proposal's own, so the rules are against it: an approval takes a second step.
  await page.getByRole('button', { name: 'Approve all the same' }).click();
  await page
    .getByRole('dialog', { name: 'Approve it all the same?' })
    .getByRole('button', { name: 'Yes, approve it' })
    .click();
  const longest = performance.now() - since;
  const answer = await on.visitor.until('the answer', () => decisions(message.proposalId).at(0));
  expect(answer.digest).not.toBe(message.digest);
  expect(answer.lookedMs).toBeGreaterThanOrEqual(0);
  expect(answer.lookedMs).toBeLessThanOrEqual(Math.ceil(longest));
});

/** Sets the clock of the pages of this browser forward, as on a phone whose clock is wrong. */
const clockAhead = (ms: number): string => `{
  const { Date: Right } = globalThis;
  globalThis.Date = class extends Right {
    constructor(...given) { given.length > 0 ? super(...given) : super(Right.now() + ${ms}); }
    static now() { return Right.now() + ${ms}; }
  };
}`;

test('on a phone whose clock is two months ahead an open card is open: it is answered, and the list counts the same time until its deadline', async () => {
  const { proposalId, deadline, action } = next();
  const { page } = await on.enter({ on: 'phone' });
  await page.addInitScript({ content: clockAhead(60 * 24 * 3_600_000) });
  await page.goto(`/reviews/${proposalId}`);
  await page.getByText(/^as of /).waitFor();
  expect(Date.parse(deadline)).toBeLessThan(await page.evaluate<number>('Date.now()'));
  await page.getByText(/Answer by .* \(in \d+ hours?\)\. If nobody answers, it is refused\./).waitFor();
  expect(await page.getByText(/deadline has passed/i).count()).toBe(0);
  await page.goto(`/reviews?account=${action.accountId}`);
  await page.getByText(/^as of /).waitFor();
  await page.locator(`main a[href$="/reviews/${proposalId}"]`).click();
  await approve(page).click();
  await page.getByText('Done: it was carried out.').waitFor({ timeout: 60_000 });
  expect(decisions(proposalId)).toMatchObject([{ decision: 'approve' }]);
});

/** The session ends on the console's side: at its end, or because somebody ended it. */
async function endSession(context: BrowserContext): Promise<void> {
  const session = await context.request.get('/v1/session');
  const { csrfToken } = (await session.json()) as { csrfToken: string };
  expect((await context.request.delete('/v1/session', { headers: { 'x-csrf-token': csrfToken } })).status()).toBe(204);
}

/** Somebody with a session of their own, which may end without anybody else's. */
async function signIn(screen: Screen): Promise<Person> {
  const person = await on.stranger({ on: screen });
  await openLink(person.page, on.installed);
  await person.page.getByRole('heading', { level: 1, name: 'Now' }).waitFor();
  return person;
}

const draftCount = (page: Page): Promise<number> =>
  page.evaluate<number>(`Object.keys(sessionStorage).filter((key) => key.startsWith('draft:')).length`);

const signInAgain = (page: Page) => page.getByRole('link', { name: 'Sign in again' }).click();

test('a session that ends in the middle of an edit: the link is opened beside it, the page comes back with what was typed', async () => {
  const message = next();
  const { page, context } = await signIn('desktop');
  await page.goto(`/reviews/${message.proposalId}`);
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: /^Subject/ }).fill('Half a sub');
  await page.getByRole('textbox', { name: 'Note' }).fill('the first was too long');
  await endSession(context);
  await page.getByText('What you began to write is kept in this tab.').waitFor();
  await signInAgain(page);
  await page.getByRole('heading', { level: 1, name: 'Sign in to Countersign' }).waitFor();

  const beside = await context.newPage();
  await openLink(beside, on.installed);
  const subject = page.getByRole('textbox', { name: /^Subject/ });
  await subject.waitFor();
  expect(new URL(page.url()).pathname).toBe(`/reviews/${message.proposalId}`);
  expect(await subject.inputValue()).toBe('Half a sub');
  expect(await page.getByRole('textbox', { name: 'Note' }).inputValue()).toBe('the first was too long');
  await subject.fill('A whole subject');
  await page.getByRole('button', { name: 'Approve and send as changed' }).click();
  await page.getByText('Done: it was carried out.').waitFor({ timeout: 60_000 });
  expect(await draftCount(page)).toBe(0);
  expect(decisions(message.proposalId)).toMatchObject([{ decision: 'edit', note: 'the first was too long' }]);
});

test('on a phone a session that ends while the answer is on its way: nothing is done, the same page comes back with the reason, and signing out forgets it', async () => {
  const message = next();
  const { page, context } = await signIn('phone');
  await page.goto(`/reviews/${message.proposalId}?from=mail`);
  await page.route(`**/v1/reviews/${message.proposalId}`, async (route) => {
    if (route.request().method() === 'POST') await endSession(context);
    await route.fallback();
  });
  await page.getByRole('button', { name: 'Reject' }).click();
  const dialog = page.getByRole('dialog', { name: 'Reject' });
  await dialog.getByRole('radio', { name: 'The wrong moment' }).check();
  await dialog.getByRole('textbox', { name: 'Note' }).fill('not this quarter');
  await dialog.getByRole('button', { name: 'Reject: nothing runs' }).click();
  await page
    .getByRole('alert')
    .getByText(/sign in again, then repeat what you did/i)
    .waitFor();
  // What the page reads is refused too; that the session is over is said by the frame, and not once more.
  await page.getByText('You are signed out').waitFor();
  await expect.poll(() => page.getByRole('alert').count()).toBe(1);
  await page.unroute(`**/v1/reviews/${message.proposalId}`);
  await signInAgain(page);
  await page.getByRole('heading', { level: 1, name: 'Sign in to Countersign' }).waitFor();

  await openLink(page, on.installed);
  await dialog.waitFor();
  expect(new URL(page.url()).search).toBe('?from=mail');
  expect(await dialog.getByRole('radio', { name: 'The wrong moment' }).isChecked()).toBe(true);
  expect(await dialog.getByRole('textbox', { name: 'Note' }).inputValue()).toBe('not this quarter');
  expect(decisions(message.proposalId)).toEqual([]);

  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Note' }).fill('for nobody else');
  await expect.poll(() => draftCount(page)).toBe(1);
  await page.getByRole('button', { name: 'Open the menu' }).click();
  await page.getByRole('button', { name: /Sign out/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in to Countersign' }).waitFor();
  expect(await draftCount(page)).toBe(0);
  // A link in the same tab is a new one, although only what is behind the # changes.
  await openLink(page, on.installed);
  await page.getByRole('heading', { level: 1, name: 'Now' }).waitFor();
});

test("a provider's session that ends: one button goes there and comes back to what was typed; a sign-out counts for the other window", async () => {
  const message = next();
  const { page, context } = await signIn('desktop');
  // This installation has no provider: the console's answers say that it has, and what stands in for it begins a session unasked.
  const provider = '/v1/sign-in/oidc';
  let visits = 0;
  await context.route('**/v1/session', async (route) => {
    if (route.request().method() !== 'GET') return route.fallback();
    const response = await route.fetch();
    if (!response.ok()) return route.fulfill({ response });
    return route.fulfill({ response, json: { ...((await response.json()) as object), renewal: provider } });
  });
  await context.route('**/v1/sign-in', (route) =>
    route.fulfill({ json: { oidc: { name: 'Provider', url: provider } } }),
  );
  await context.route(`**${provider}*`, async (route) => {
    visits++;
    const code = new URLSearchParams(new URL(await oneTimeLink(on.installed)).hash.slice(1)).get('code');
    expect((await context.request.post('/v1/session', { data: { code } })).ok()).toBe(true);
    const back = new URL(route.request().url()).searchParams.get('next') ?? '/';
    await route.fulfill({ contentType: 'text/html', body: `<meta http-equiv="refresh" content="0;url=${back}">` });
  });
  await page.goto(`/reviews/${message.proposalId}`);
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Note' }).fill('half a word');
  const beside = await context.newPage();
  await beside.goto('/reviews');
  await beside.getByText(/^as of /).waitFor();

  await endSession(context);
  await page.getByText('You are signed out').waitFor();
  expect(visits).toBe(0);
  await signInAgain(page);
  await page.getByText(/^as of /).waitFor();
  expect(new URL(page.url()).pathname).toBe(`/reviews/${message.proposalId}`);
  expect(await page.getByRole('textbox', { name: 'Note' }).inputValue()).toBe('half a word');
  expect(visits).toBe(1);

  await page.getByRole('button', { name: /Sign out/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in to Countersign' }).waitFor();
  await beside.getByText('You are signed out').waitFor();
  await signInAgain(beside);
  await beside.getByRole('link', { name: 'Sign in with Provider' }).waitFor();
  expect(visits).toBe(1);
});

/** Both open the card, and see that they may answer. */
async function both(id: string, screen: Screen = 'desktop'): Promise<[lea: Page, marc: Page]> {
  const people = [await on.enter({ on: screen }), await on.colleague({ on: screen })];
  for (const { page } of people) {
    await page.goto(`/reviews/${id}`);
    await approve(page).waitFor();
    // From here on what others do is told.
    await page.getByText(/^as of /).waitFor();
  }
  return people.map(({ page }) => page) as [Page, Page];
}

test.each<Screen>(['desktop', 'phone'])(
  "on a %s the other's answer is shown without a word from the reader, who cannot answer any more",
  async (screen) => {
    const { proposalId } = next();
    const [lea, marc] = await both(proposalId, screen);
    // Marc is in the middle of it.
    await marc.getByRole('button', { name: 'Reject' }).click();
    await marc.getByRole('dialog', { name: 'Reject' }).getByRole('textbox', { name: 'Note' }).fill('not now');
    await approve(lea).click();
    await marc.getByText(/^lea approved it/).waitFor();
    expect(await approve(marc).count()).toBe(0);
    expect(await marc.getByRole('dialog').count()).toBe(0);
    expect(await marc.getByRole('button', { name: 'Edit' }).count()).toBe(0);
    await marc.getByText('Done: it was carried out.').waitFor({ timeout: 60_000 });
    expect(decisions(proposalId)).toMatchObject([{ by: 'lea', decision: 'approve' }]);
  },
);

test('of two who press before either knows of the other one wins, and the other is told who, what, and that nothing came of it', async () => {
  const { proposalId } = next();
  const [lea, marc] = await both(proposalId);
  // Both answers are on their way before one of them arrives.
  let onTheWay = 0;
  let go: () => void = () => undefined;
  const bothPressed = new Promise<void>((resolve) => {
    go = resolve;
  });
  for (const page of [lea, marc])
    await page.route(`**/v1/reviews/${proposalId}`, async (route) => {
      if (route.request().method() === 'POST') {
        if (++onTheWay === 2) go();
        await bothPressed;
      }
      await route.fallback();
    });
  await approve(lea).click();
  await marc.getByRole('button', { name: 'Reject' }).click();
  const dialog = marc.getByRole('dialog', { name: 'Reject' });
  await dialog.getByRole('radio', { name: 'The wrong moment' }).check();
  await dialog.getByRole('button', { name: 'Reject: nothing runs' }).click();

  const [decided] = await on.visitor.until(
    'one answer',
    () => decisions(proposalId).length > 0 && decisions(proposalId),
  );
  const did = decided?.by === 'lea' ? 'lea approved it' : 'marc rejected it';
  const [winner, loser] = decided?.by === 'lea' ? [lea, marc] : [marc, lea];
  const second = loser.getByRole('alert').filter({ hasText: 'Your answer came second' });
  await second.getByText(`${did} before your answer arrived. Nothing was done with your answer.`).waitFor();
  expect(await approve(loser).count()).toBe(0);
  await winner.getByText(/^You (approved|rejected) it/).waitFor();
  expect(await winner.getByRole('alert').count()).toBe(0);
  await on.visitor.until('its end', () =>
    [
      ...on.visitor.eventsOf('ActionSettled', (end) => end.proposalId === proposalId),
      ...on.visitor.eventsOf('ActionRefused', (end) => end.proposalId === proposalId),
    ].at(0),
  );
  expect(decisions(proposalId)).toHaveLength(1);
});

test('a deadline that passes while the card is open is said, nobody can answer any more, and nothing is sent', async () => {
  const { page } = reader;
  await page.getByText(/^The deadline has passed .* Waiting for the result\.$/).waitFor({ timeout: 90_000 });
  expect(await approve(page).count()).toBe(0);
  isHeldOpen = false;
  const answer = await on.visitor.cli('review', 'approve', short.proposalId, '--yes');
  expect(answer.code).not.toBe(0);
  expect(answer.out + answer.err).toMatch(/expired/);
  await on.visitor.until('the validator to refuse it', () =>
    on.visitor
      .eventsOf('ActionRefused', ({ proposalId }) => proposalId === short.proposalId)
      .some(({ verdict }) => verdict.reasons.some(({ rule }) => rule === 'review-deadline')),
  );
  await page.reload();
  await page.getByText(/^The deadline has passed .* Nobody answered, so it is refused\.$/).waitFor();
  expect(decisions(short.proposalId)).toEqual([]);
});
