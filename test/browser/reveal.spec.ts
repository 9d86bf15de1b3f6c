import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ago, company, signal } from '../flows/signals.js';
import { objections, settled, tooWide } from './looks.js';
import { screens } from './person.js';
import { sight, stage } from './stage.js';

const on = stage();

/** Somebody of a name like no other, whom the console knows. */
async function someone(): Promise<{ readonly contactId: string; readonly name: string }> {
  const { id, people } = company(`veiled-${randomUUID().slice(0, 8)}`, 1);
  const name = `Quirina${randomUUID().slice(0, 8)}`;
  const contact = { ref: people[0]?.ref as string, email: people[0]?.email as string };
  const data = {
    account: { id },
    contact,
    seniority: 'vp',
    person: { firstName: name, lastName: 'Zwettler' },
  } as const;
  const [accepted] = await on.visitor.accepted('crm', [signal('crm', 'ContactUpserted', data, ago(3_600_000))]);
  const contactId = accepted?.contactId as string;
  await on.visitor.until('the console to know the person', async () => {
    return (await on.visitor.cli('people', '--contact', contactId)).code === 0;
  });
  return { contactId, name };
}
const cardOn = (page: Page) => page.getByRole('region', { name: 'Name and address' });

test.each(Object.keys(screens) as (keyof typeof screens)[])(
  'on a %s a privacy officer reveals a name for a purpose, sees it until they hide it or leave, and everybody sees that they looked',
  async (screen) => {
    const { contactId, name } = await someone();
    const { page } = await on.enter({ on: screen });
    await page.goto(`/people/${contactId}`);
    await page.getByText('Nobody has asked for the name or the address in the time that the console keeps.').waitFor();
    await cardOn(page).getByLabel('hidden').waitFor();
    await cardOn(page).getByRole('button', { name: 'Reveal' }).click();
    const dialog = page.getByRole('dialog', { name: 'Reveal who this is' });
    const send = dialog.getByRole('button', { name: 'Reveal, on record' });
    expect(await send.isDisabled()).toBe(true);
    await dialog.getByLabel('Purpose').click();
    await page.getByRole('option', { name: 'The person asks what is known of them' }).click();
    await dialog.getByLabel('Which case?').fill('request 4711');
    await settled(page);
    expect(await objections(page)).toEqual([]);
    await send.click();

    const shown = cardOn(page).getByRole('list', { name: 'Revealed' });
    await shown.getByText(`${name} Zwettler`).waitFor();
    // What was not asked for was not sealed either.
    expect(await shown.ariaSnapshot()).not.toMatch(/@|E-mail/);
    const looked = page.getByRole('region', { name: 'Who looked at the name' });
    await looked.getByText('Revealed to whoever asked').waitFor();
    await looked.getByText('The person asks what is known of them: “request 4711”').waitFor();
    const asked = on.visitor.eventsOf('RevealRequested', (request) => request.contactId === contactId);
    expect(asked).toMatchObject([{ by: 'lea', seen: sight }]);
    await settled(page);
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);

    await cardOn(page).getByRole('button', { name: 'Hide' }).click();
    await cardOn(page).getByLabel('hidden').waitFor();
    expect(await page.content()).not.toContain(name);
    // Nothing keeps it: neither a reload nor what the browser stores.
    await page.reload();
    await looked.getByText('Revealed to whoever asked').waitFor();
    expect(await page.content()).not.toContain(name);
    const stored = await page.evaluate<string>('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])');
    expect(stored).not.toContain(name);
  },
);

test('what was revealed is masked again after a minute, and when the page is left', async () => {
  const { contactId, name } = await someone();
  const { page } = await on.enter();
  await page.clock.install();
  const reveal = async () => {
    await cardOn(page).getByRole('button', { name: 'Reveal' }).click();
    const dialog = page.getByRole('dialog', { name: 'Reveal who this is' });
    await dialog.getByLabel('Purpose').click();
    await page.getByRole('option', { name: 'A complaint' }).click();
    await dialog.getByLabel('Which case?').fill('complaint 12');
    await dialog.getByRole('button', { name: 'Reveal, on record' }).click();
    await cardOn(page).getByText(`${name} Zwettler`).waitFor();
  };
  await page.goto(`/people/${contactId}`);
  await reveal();
  await page.clock.fastForward(60_000);
  await cardOn(page).getByLabel('hidden').waitFor();
  expect(await page.content()).not.toContain(name);
  await reveal();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'People' }).click();
  await page.getByRole('heading', { level: 1, name: 'People' }).waitFor();
  await page.goBack();
  await cardOn(page).getByLabel('hidden').waitFor();
  expect(await page.content()).not.toContain(name);
});

test('somebody who is no privacy officer is shown no way to reveal, and whom to ask', async () => {
  const { contactId } = await someone();
  const { page } = await on.enter();
  // The installation has one person, who may do everything; what the console refuses others, its own tests show.
  await page.route('**/v1/session', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), roles: ['viewer', 'reviewer'] } });
  });
  await page.goto(`/people/${contactId}`);
  await cardOn(page)
    .getByText(/ask a privacy officer/)
    .waitFor();
  expect(await cardOn(page).getByRole('button').count()).toBe(0);
  expect(await objections(page)).toEqual([]);
});
