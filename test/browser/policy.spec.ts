import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { objections, tooWide } from './looks.js';
import type { Screen } from './person.js';
import { stage } from './stage.js';

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
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  },
);
