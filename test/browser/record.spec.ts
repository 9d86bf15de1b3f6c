import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { objections, settled, tooWide } from './looks.js';
import { type Screen, screens } from './person.js';
import { sight, stage } from './stage.js';

const on = stage();
const all = Object.keys(screens) as Screen[];
const wholeOn = (page: Page) => page.getByRole('region', { name: 'The whole record', exact: true });
const isWhole = /^The record is whole: [\d,]+ entries$/;

/** Keeps every text that the page shows of how far it is. */
const watchProgress = `window.shown = [];
  new MutationObserver(() => {
    const found = document.body.innerText.match(/[\\d,]+ of [\\d,]+ entries, [\\d.]+ MB/);
    if (found && window.shown.at(-1) !== found[0]) window.shown.push(found[0]);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });`;

async function begin(page: Page, button: 'Verify every entry' | 'Export the record', purpose: string): Promise<void> {
  await page.goto('/record');
  await wholeOn(page).getByRole('button', { name: button }).click();
  const dialog = page.getByRole('dialog', { name: button });
  const send = dialog.getByRole('button', { name: /, on record$/ });
  expect(await send.isDisabled()).toBe(true);
  await dialog.getByLabel('What is it for?').fill(purpose);
  await settled(page);
  expect(await objections(page)).toEqual([]);
  await page.evaluate<void>(watchProgress);
  await send.click();
}

/** What the command line says of a file, with the key that it knows itself. */
async function verifiedElsewhere(content: Buffer | string): Promise<{ code: number | null; size: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'saved-record-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'record.ndjson');
  writeFileSync(file, content);
  const { code, out } = await on.visitor.cli('verify', '--export', file, '--json');
  return { code, size: JSON.parse(out).size };
}

test.each(all)(
  'on a %s an auditor verifies every entry for a purpose, sees how far it is and the result, and everybody sees who did it',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    const purpose = `monthly check on a ${screen}`;
    await begin(page, 'Verify every entry', purpose);
    await wholeOn(page).getByText(isWhole).waitFor({ timeout: 60_000 });
    await wholeOn(page)
      .getByText(/[\d,]+ events compared byte by byte, [\d,]+ checkpoints verified/)
      .waitFor();
    const shown = await page.evaluate<string[]>('window.shown');
    expect(shown.length).toBeGreaterThan(0);
    const readers = page.getByRole('region', { name: 'Who asked to read the whole record' });
    await readers.getByRole('listitem').filter({ hasText: purpose }).filter({ hasText: 'lea, to verify it' }).waitFor();
    await settled(page);
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
    // The request is itself on the record, and leads to nothing that opens it again.
    const [pass] = on.visitor.eventsOf('RecordPassRequested', (data) => data.purpose === purpose);
    expect(pass).toMatchObject({ by: 'lea', use: 'verify', seen: sight });
    const story = await on.visitor.cli('show', pass?.passId as string);
    expect(story.out).toContain(purpose);
  },
);

test('a browser that writes no files itself offers the export when it is whole, and the command line verifies it too', async () => {
  const { page } = await on.enter({ on: 'phone' });
  await page.addInitScript('Object.defineProperty(window, "showSaveFilePicker", { value: undefined })');
  await begin(page, 'Export the record', 'yearly audit, phone');
  await wholeOn(page).getByText(isWhole).waitFor({ timeout: 60_000 });
  await settled(page);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    wholeOn(page)
      .getByRole('button', { name: /^Save the file/ })
      .click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^record-\d{4}-\d\d-\d\d\.ndjson$/);
  const parts: Buffer[] = [];
  for await (const part of await download.createReadStream()) parts.push(part as Buffer);
  const found = await verifiedElsewhere(Buffer.concat(parts));
  expect(found.code).toBe(0);
  expect(found.size).toBeGreaterThan(100);
});

test('a browser that writes files itself writes the export into the chosen one, piece by piece', async () => {
  const { page } = await on.enter();
  // The browser's own dialog cannot be used by a test: the file is one of the page's own folder.
  await page.addInitScript(`window.showSaveFilePicker = async ({ suggestedName }) =>
    (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true })`);
  await begin(page, 'Export the record', 'yearly audit, computer');
  await wholeOn(page).getByText('The file that you chose has the whole export.').waitFor({ timeout: 60_000 });
  const content = await page.evaluate<string>(`(async () => {
    for await (const [, handle] of await navigator.storage.getDirectory()) return (await handle.getFile()).text();
  })()`);
  expect((await verifiedElsewhere(content)).code).toBe(0);
});

test('whoever closes the file dialog asks for nothing', async () => {
  const { page } = await on.enter();
  const before = on.visitor.eventsOf('RecordPassRequested').length;
  await page.addInitScript(
    'window.showSaveFilePicker = async () => { throw new DOMException("closed", "AbortError"); }',
  );
  await begin(page, 'Export the record', 'nothing');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  expect(await wholeOn(page).getByRole('progressbar').count()).toBe(0);
  expect(on.visitor.eventsOf('RecordPassRequested')).toHaveLength(before);
});

/** Answers as the record does, with one byte of one event changed. */
async function tamper(page: Page): Promise<{ index: () => number }> {
  let index = -1;
  await page.route('**/v1/passes/export', async (route) => {
    if (route.request().method() !== 'GET') return route.continue();
    const answer = await route.fetch();
    if (!answer.ok()) return route.fulfill({ response: answer });
    const lines = (await answer.text()).split('\n');
    const place = lines.findIndex((line, n) => n > lines.length / 2 && line.includes('"kept":"event"'));
    const leaf = JSON.parse(lines[place] as string);
    const bytes = Buffer.from(leaf.bytes, 'base64');
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] as number) ^ 1;
    lines[place] = JSON.stringify({ ...leaf, bytes: bytes.toString('base64') });
    ({ index } = leaf);
    await route.fulfill({ response: answer, body: lines.join('\n') });
  });
  return { index: () => index };
}

test.each(all)(
  'on a %s one byte that was changed in one event is found, named, and nothing is called whole',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    const changed = await tamper(page);
    await begin(page, 'Verify every entry', 'after an incident');
    await wholeOn(page).getByText('The record is not whole: 1 problem').waitFor({ timeout: 60_000 });
    const problem = wholeOn(page).getByRole('list', { name: 'Problems' }).getByRole('listitem');
    expect(await problem.textContent()).toBe(
      `Entry ${new Intl.NumberFormat('en-GB').format(changed.index())}: the event is not the one that was recorded (event-altered)`,
    );
    await wholeOn(page).getByText('Keep the database and every copy as they are.').waitFor();
    expect(await wholeOn(page).getByText(isWhole).count()).toBe(0);
    await settled(page);
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  },
);

test('a record that does not answer, and a download that breaks off, are said to be that', async () => {
  const { page } = await on.enter();
  await page.route('**/v1/passes/export', (route) => route.abort());
  await begin(page, 'Verify every entry', 'a try');
  await wholeOn(page).getByText('The record does not answer this browser').waitFor({ timeout: 60_000 });
  await page.unroute('**/v1/passes/export');
  await page.route('**/v1/passes/export', async (route) => {
    if (route.request().method() !== 'GET') return route.continue();
    const answer = await route.fetch();
    if (!answer.ok()) return route.fulfill({ response: answer });
    const text = await answer.text();
    await route.fulfill({ response: answer, body: text.slice(0, text.length / 2) });
  });
  await begin(page, 'Verify every entry', 'another try');
  await wholeOn(page).getByText('This is not a record').waitFor({ timeout: 60_000 });
  expect(await wholeOn(page).getByText(isWhole).count()).toBe(0);
});

test('without the checkpoints that the console stored nothing is read, and nothing is called whole', async () => {
  const { page } = await on.enter();
  await page.route(/\/v1\/record\/checkpoints\?spread=/, (route) => route.abort());
  const downloads: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/v1/passes/export')) downloads.push(request.method());
  });
  await begin(page, 'Verify every entry', 'without checkpoints');
  await wholeOn(page).getByText('The check did not start').waitFor({ timeout: 60_000 });
  expect(await wholeOn(page).getByText(isWhole).count()).toBe(0);
  expect(downloads).toEqual([]);
  await page.unroute(/\/v1\/record\/checkpoints\?spread=/);
  await begin(page, 'Verify every entry', 'with them again');
  await wholeOn(page)
    .getByText(/compared with [\d,]+ checkpoints that this console has kept, the oldest of /)
    .waitFor({ timeout: 60_000 });
  expect(downloads).toContain('GET');
});

test('whoever is no auditor reads whom to ask, and has no button for it', async () => {
  const { page } = await on.colleague();
  await page.goto('/record');
  await wholeOn(page)
    .getByText(/Only an auditor may do this/)
    .waitFor();
  expect(await wholeOn(page).getByRole('button').count()).toBe(0);
  await settled(page);
  expect(await objections(page)).toEqual([]);
});

interface Audit {
  readonly invariants: readonly { readonly violations: number }[];
}

test.each(all)(
  'on a %s an audit that runs as a command shows how far it is, and then what it found',
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    await page.goto('/record');
    const audit = page.getByRole('region', { name: 'Audit of the invariants' });
    await audit.getByText('npx countersign audit invariants').waitFor();
    await audit.getByRole('button', { name: 'Copy npx countersign audit invariants' }).waitFor();
    const running = on.visitor.cli('audit', 'invariants', '--judge', 'all', '--json');
    await audit.getByText(/^Runs: lea began it/).waitFor({ timeout: 60_000 });
    await audit.getByRole('progressbar', { name: 'Progress: Audit of the invariants' }).waitFor();
    await settled(page);
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
    const { out, err } = await running;
    expect(err).not.toContain('the console is not told');
    const { invariants } = JSON.parse(out) as Audit;
    const found = invariants.reduce((sum, { violations }) => sum + violations, 0);
    const words =
      found === 0
        ? `Nothing found in ${invariants.length} checks: lea`
        : `${found} ${found === 1 ? 'finding' : 'findings'}: lea`;
    // Until then the result on the page is that of the audit before.
    await audit.getByText(/^Runs: /).waitFor({ state: 'detached' });
    await audit.getByText(words).waitFor();
    await audit.getByRole('button', { name: /^Show the \d+ checks/ }).click();
    await audit.getByRole('cell', { name: 'no effect without a valid permit' }).waitFor();
    await settled(page);
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
  },
);

test('one that has died, and one with findings, say what to do', async () => {
  const { page } = await on.enter({ on: 'phone' });
  const at = new Date(Date.now() - 600_000).toISOString();
  const report = { by: 'lea', startedAt: at, heardAt: at, checks: [] };
  const checks = [{ name: 'stolen-key', detail: 'an approval signed with another key', checked: 1, findings: 1 }];
  await page.route('**/v1/inspections', (route) =>
    route.fulfill({
      json: {
        at: new Date().toISOString(),
        kinds: [
          {
            kind: 'invariants',
            last: null,
            open: {
              ...{
                ...report,
                inspectionId: 'f2b7c1de-6a14-4d0b-8a0f-5b8e3c9d7a21',
                kind: 'invariants',
                state: 'silent',
              },
              ...{ endedAt: null, progress: { step: 'reading the record', done: 3, total: 9 } },
            },
          },
          {
            kind: 'probe',
            open: null,
            last: {
              ...{ ...report, inspectionId: 'f2b7c1de-6a14-4d0b-8a0f-5b8e3c9d7a22', kind: 'probe', state: 'findings' },
              ...{ endedAt: at, progress: null, checks },
            },
          },
        ],
      },
    }),
  );
  await page.goto('/record');
  await page.getByText(/^Not heard of since 10 minutes ago/).waitFor();
  await page
    .getByText(/it was at: reading the record\. The command has ended, or cannot reach the console\./)
    .waitFor();
  const probe = page.getByRole('region', { name: 'Probe of the gate' });
  await probe.getByText('1 finding: lea').waitFor();
  await probe.getByText('an approval signed with another key (stolen-key): 1').waitFor();
  await probe.getByText(/stop everything until it is closed/).waitFor();
  await settled(page);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
});
