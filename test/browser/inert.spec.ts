import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { settled } from './looks.js';
import { stage } from './stage.js';
import { waiting } from './waiting.js';

/* What others wrote is shown as they wrote it: it runs nothing, leads nowhere and changes nothing on the page. */

const on = stage();
const hostile = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
const name = `${hostile} [click](javascript:alert(3))`;
let [proposalId, accountId] = ['', ''];
beforeAll(async () => {
  const [message] = await waiting(on.visitor, 1, name);
  proposalId = message?.proposalId ?? '';
  accountId = message?.action.accountId ?? '';
});

/** Elements that only the hostile text could have made. */
const made = (page: Page): Promise<number> =>
  page.locator('img[src="x"], a[href^="javascript:"], script:not([src]):not([nonce])').count();

test("an account's name of markup, script and link is text on the card, in the list and in the story", async () => {
  const { page } = await on.enter();
  await page.goto(`/reviews/${proposalId}`);
  await page.getByText(hostile).first().waitFor();
  expect(await made(page)).toBe(0);
  // Of a long list only those in sight are there.
  await page.goto(`/reviews?account=${accountId}`);
  await page.getByText(hostile).first().waitFor();
  expect(await made(page)).toBe(0);
  await page.goto(`/stories/${proposalId}`);
  await settled(page);
  expect(await made(page)).toBe(0);
});

test('the same as what an agent says it considered and left, and many of these are folded', async () => {
  const { page } = await on.enter();
  await page.route(`**/v1/reviews/${proposalId}`, async (route) => {
    const response = await route.fetch();
    const card = await response.json();
    const alternatives = Array.from({ length: 10 }, (_, n) => ({ detail: `${n} ${name}`, rejectedBecause: name }));
    await route.fulfill({ response, json: { ...card, agentSays: { ...card.agentSays, alternatives } } });
  });
  await page.goto(`/reviews/${proposalId}`);
  const last = page.getByText(`“9 ${name}”`);
  await page.getByText('10 other ways that it considered and left').waitFor();
  expect(await last.isVisible()).toBe(false);
  await page.getByText('10 other ways that it considered and left').click();
  await last.waitFor();
  expect(await made(page)).toBe(0);
});

test('the same as the reason of a stop, and as the note of an answer', async () => {
  const { page } = await on.enter();
  await page.goto('/');
  const stop = await on.visitor.cli('stop', '--account', accountId, '--reason', name);
  expect(stop.code, stop.err).toBe(0);
  await page.getByText(hostile).first().waitFor();
  expect(await made(page)).toBe(0);
  expect(await on.visitor.cli('resume', '--account', accountId, '--reason', name)).toMatchObject({ code: 0 });

  const why = ['--category', 'wrong-time', '--note', name];
  const answer = await on.visitor.cli('review', 'reject', proposalId, '--yes', ...why);
  expect(answer.code, answer.err).toBe(0);
  await page.goto(`/reviews/${proposalId}`);
  await page.getByText(`noted: “${name}”`).waitFor();
  await settled(page);
  expect(await made(page)).toBe(0);
});
