import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cutOrOver, objections, tooWide } from './looks.js';
import type { Screen } from './person.js';
import { sight, stage } from './stage.js';

/* Somebody changes a limit in the configuration folder, is told of a mistake in it, mends it and publishes. */

const on = stage();
let file = '';
let shipped = '';
beforeAll(() => {
  file = join(on.installed.home, 'config/rules.yaml');
  shipped = readFileSync(file, 'utf8');
});
afterAll(async () => {
  writeFileSync(file, shipped);
  await on.visitor.cli('policy', 'publish');
});

const version = async (): Promise<number> => (await on.visitor.answer<{ version: number }>('policy', 'show')).version;

const permitSeconds = (value: string) =>
  writeFileSync(file, shipped.replace(/^permitSeconds: .*$/m, `permitSeconds: ${value}`));

const check = (page: Page) => page.getByRole('button', { name: 'Check it again' }).click();

test.each<[Screen, number]>([
  ['desktop', 901],
  ['phone', 902],
])(
  'on a %s a mistake is named with file and line, and a sound change is published once it was read',
  async (screen, seconds) => {
    const before = await version();
    const { page } = await on.enter({ on: screen });
    await page.goto('/policy');
    const folder = page.getByRole('region', { name: 'The configuration folder' });

    permitSeconds('soon');
    await check(page);
    const problem = folder.getByRole('alert').filter({ hasText: 'The folder is not valid: 1 problem' });
    await problem.getByText(/rules\.yaml, line \d+ \(permitSeconds\)/).waitFor();
    await problem.getByText(`Policy ${before} stays in force.`).waitFor();
    expect(await folder.getByRole('button', { name: /^Publish/ }).count()).toBe(0);

    permitSeconds(String(seconds));
    await check(page);
    await folder.getByRole('heading', { name: 'rules.yaml' }).waitFor();
    await folder.getByText(String(seconds), { exact: true }).waitFor();
    expect(await version()).toBe(before);
    await folder.getByRole('button', { name: `Publish policy ${before + 1}` }).click();
    const dialog = page.getByRole('dialog', { name: `Publish policy ${before + 1}` });
    await dialog.getByText('1 setting changes').waitFor();
    expect(await objections(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Publish it' }).click();
    await page
      .getByRole('status')
      .filter({ hasText: `Policy ${before + 1} is in force` })
      .waitFor();
    expect(await version()).toBe(before + 1);
    const published = () => on.visitor.eventsOf('PolicyPublished', (policy) => policy.version === before + 1).at(-1);
    expect(await on.visitor.until('the event', published)).toMatchObject({ by: 'lea', seen: sight });
    expect([...(await objections(page)), ...(await cutOrOver(page)), ...(await tooWide(page))]).toEqual([]);
  },
);

test.each<Screen>(['desktop', 'phone'])(
  'on a %s a policy is read file by file, one setting is found by its name, and an earlier version is read as well',
  async (screen) => {
    const inForce = await version();
    const { page } = await on.enter({ on: screen });
    await page.goto('/policy');
    const content = page.getByRole('region', { name: /^What policy \d+ says$/ });
    await content.getByRole('heading', { name: `What policy ${inForce} says` }).waitFor();
    await content.getByText('In force', { exact: true }).waitFor();
    for (const file of ['rules.yaml', 'routes.yaml', 'plays/return-below-floor.yaml'])
      await content.getByRole('button', { name: file }).waitFor();
    await content.getByRole('button', { name: 'charters/paid-media-agent.yaml' }).click();
    await content.getByText('limits.campaignSpendPerDayMinor', { exact: true }).waitFor();
    await content
      .getByText(/^EUR [\d,]+\.\d\d$/)
      .first()
      .waitFor();
    await content.getByRole('link', { name: 'The page of paid-media-agent' }).waitFor();
    expect([...(await objections(page)), ...(await cutOrOver(page)), ...(await tooWide(page))]).toEqual([]);

    // Every setting of every file can be read.
    const closed = content.getByRole('list').getByRole('button', { expanded: false });
    while ((await closed.count()) > 0) await closed.first().click();
    expect([...(await objections(page)), ...(await cutOrOver(page)), ...(await tooWide(page))]).toEqual([]);

    await content.getByLabel('Find a setting').fill('permitSeconds');
    await content.getByText('permitSeconds', { exact: true }).waitFor();
    expect(await content.getByRole('list').getByRole('button').allTextContents()).toEqual(['rules.yaml']);
    await content.getByLabel('Find a setting').fill('no such thing');
    await content.getByRole('heading', { name: 'No setting has this' }).waitFor();
    await content.getByLabel('Find a setting').fill('');

    await page.getByRole('button', { name: `Read it: policy ${inForce - 1}` }).click();
    await content.getByRole('heading', { name: `What policy ${inForce - 1} says` }).waitFor();
    expect(await content.getByText('In force', { exact: true }).count()).toBe(0);
    expect(await page.evaluate<string>('document.activeElement.textContent')).toContain('What policy');
  },
);

test('a version is compared with the one that is listed before it, also where some are missing between them', async () => {
  const inForce = await version();
  const { page } = await on.enter();
  await page.route('**/v1/policies/versions?*', async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as { versions: { version: number }[] };
    const versions = answer.versions.filter((listed) => listed.version !== inForce - 1);
    await route.fulfill({ response, json: { ...answer, versions } });
  });
  await page.goto('/policy');
  await page.getByRole('button', { name: `What it changed: policy ${inForce}` }).click();
  const compared = page.getByRole('region', { name: `What changed from policy ${inForce - 2} to policy ${inForce}` });
  await compared.getByRole('heading', { name: 'rules.yaml' }).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  // There is nothing before the first one that is listed.
  expect(await page.getByRole('button', { name: 'What it changed: policy 1', exact: true }).count()).toBe(0);
});

test('what an agent may do is downloaded from an open page, and is made from the policy that was published in the meantime', async () => {
  const { page, context } = await on.enter();
  await page.goto('/agents/paid-media-agent');
  const wanted = page.getByRole('button', { name: 'Download it to read or print' });
  await wanted.waitFor();
  permitSeconds('903');
  await on.visitor.cli('policy', 'publish');
  const { digest } = await on.visitor.answer<{ digest: string }>('policy', 'show');
  const [download] = await Promise.all([page.waitForEvent('download'), wanted.click()]);
  expect(download.suggestedFilename()).toBe('paid-media-agent.html');
  const parts: Buffer[] = [];
  for await (const part of await download.createReadStream()) parts.push(part as Buffer);
  const html = Buffer.concat(parts).toString('utf8');
  expect(html).toContain(digest);
  expect(html).toContain('15 minutes and 3 seconds');

  // A colleague opens the file: it is readable, and asks nobody for anything.
  const colleague = await context.newPage();
  const asked: string[] = [];
  colleague.on('request', (request) => asked.push(request.url()));
  await colleague.setContent(html);
  await colleague.getByRole('heading', { name: 'What paid-media-agent can and cannot do' }).waitFor();
  await colleague.getByRole('cell', { name: 'email.send' }).waitFor();
  expect(asked).toEqual([]);
});
