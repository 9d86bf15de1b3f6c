import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { ago, company, signal } from '../flows/signals.js';
import { expectHandledOnce, type Mended, mendedTasks } from './dead-letters.js';
import { objections, settled, tooWide } from './looks.js';
import { type Screen, screens } from './person.js';
import { sight, stage } from './stage.js';
import { waiting } from './waiting.js';

const on = stage();
const all = Object.keys(screens) as Screen[];

test.each(all)('on a %s the cause of a rejected signal is found, with what to change', async (screen) => {
  const { id, people, known } = company(`early-${randomUUID().slice(0, 8)}`, 1);
  await on.visitor.accepted('crm', known());
  const contact = { ref: people[0]?.ref as string };
  const inThreeHours = ago(-3 * 3_600_000);
  const data = { account: { id }, contact, contentId: 'comparison-guide', topic: 'comparison' };
  const early = signal('website', 'ContentEngaged', data, inThreeHours);
  await on.visitor.publish('website', [early]);
  await on.visitor.until('it to be rejected', () =>
    on.visitor.eventsOf('SignalRejected', ({ signalId }) => signalId === early.id).some(Boolean),
  );

  const { page } = await on.enter({ on: screen });
  await page.goto('/');
  if (screen === 'phone') await page.getByRole('button', { name: 'Open the menu' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Sources' }).click();
  const website = page.getByRole('region', { name: 'website' });
  await website.getByRole('link', { name: 'The signal is dated in the future' }).click();
  const rejected = page.getByRole('list', { name: 'Rejected signals' }).getByRole('listitem');
  const ours = rejected.filter({ has: page.getByTitle(early.id) });
  await ours.getByText('Set the clock of the system that sends it').waitFor();
  await ours.getByText(/\d (minutes|hours|days) ahead of the clock here/).waitFor();
  await settled(page);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
});

test('a dead letter is handled again from the page, and one that fails again says so and waits again', async () => {
  const producer = on.visitor.kafka('orchestrator').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const [place] = await producer.send({
    topic: 'tasks.assigned.v1',
    acks: -1,
    messages: [{ key: randomUUID(), value: `{"unfinished ${randomUUID()}` }],
  });
  await producer.disconnect();
  await on.visitor.until('its dead letters', () =>
    on.visitor
      .eventsOf('DeadLetter', (d) => d.topic === 'tasks.assigned.v1' && d.offset === place?.baseOffset)
      .some(({ service, partition }) => service === 'sequencing-agent' && partition === place?.partition),
  );
  const { page } = await on.enter();
  await page.goto('/sources/dead-letters');
  const letter = page
    .getByRole('list', { name: 'Dead letters' })
    .getByRole('listitem')
    .filter({ hasText: `tasks.assigned.v1, partition ${place?.partition}, offset ${place?.baseOffset}` })
    .filter({ hasText: 'sequencing-agent could not handle an event that cannot be read' });
  await letter.getByText('Waits for somebody').waitFor();
  await letter.getByRole('button', { name: 'Handle again' }).click();
  const dialog = page.getByRole('dialog', { name: 'Handle again' });
  const send = dialog.getByRole('button', { name: 'Let sequencing-agent handle it again' });
  expect(await send.isDisabled()).toBe(true);
  await dialog.getByLabel('What has changed?').fill('nothing, to see that it says so');
  expect(await objections(page)).toEqual([]);
  await send.click();
  await letter.getByText('Failed again').waitFor();
  await letter.getByText('noted: “nothing, to see that it says so”').waitFor();
  await letter.getByRole('button', { name: 'Handle again' }).waitFor();
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
});

let mended: readonly Mended[];
beforeAll(async () => {
  mended = await mendedTasks(on.visitor, all.length);
});

test.each(all)(
  'on a %s a dead letter whose cause was mended is handled from the page, and its work is done once',
  async (screen) => {
    const dead = mended[all.indexOf(screen)] as Mended;
    const { page } = await on.enter({ on: screen });
    await page.goto('/sources/dead-letters');
    const letter = page
      .getByRole('list', { name: 'Dead letters' })
      .getByRole('listitem')
      .filter({ hasText: 'sequencing-agent could not handle an event TaskAssigned' })
      .filter({ hasText: `tasks.assigned.v1, partition ${dead.letter.partition}, offset ${dead.letter.offset}` });
    await letter.getByText('Waits for somebody').waitFor();
    await letter.getByRole('button', { name: 'Handle again' }).click();
    const dialog = page.getByRole('dialog', { name: 'Handle again' });
    await dialog.getByLabel('What has changed?').fill('the rule of the table that forbade it is gone');
    await dialog.getByRole('button', { name: 'Let sequencing-agent handle it again' }).click();
    await letter.getByText(/^Handled/).waitFor();
    const orders = on.visitor.eventsOf('DeadLetterReplayed', ({ note = '' }) =>
      note.startsWith('the rule of the table'),
    );
    expect(orders.at(-1)).toMatchObject({ by: 'lea', seen: sight });
    expect(await letter.getByRole('button', { name: 'Handle again' }).count()).toBe(0);
    await settled(page);
    expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
    await expectHandledOnce(on.visitor, dead);
  },
);

test.each(all)('on a %s one finds what touched one person, without a name or an address', async (screen) => {
  const name = `Orbit ${randomUUID().slice(0, 8)}`;
  const [message] = await waiting(on.visitor, 1, name);
  const { page } = await on.enter({ on: screen });
  await page.goto('/people');
  await page.getByRole('searchbox', { name: 'Account or role' }).fill(name.toLowerCase());
  await page.getByRole('button', { name: 'Search' }).click();
  const contactId = String(message?.action.payload.contactId);
  const found = page.getByRole('list', { name: 'People' }).getByRole('listitem');
  await found
    .filter({ has: page.getByTitle(contactId) })
    .getByRole('link')
    .click();
  await page.getByRole('heading', { level: 1, name: new RegExp(name) }).waitFor();
  await page.getByText('Sales, by e-mail').waitFor();
  await page.getByText('Granted').waitFor();
  const touched = page.getByRole('region', { name: 'What touched this person' });
  await touched.getByText('Waits for a reviewer').waitFor();
  await touched.getByText(/to this person/).waitFor();
  await settled(page);
  // As it is read out: a style sheet in the page has an @ too.
  expect(await page.locator('main').ariaSnapshot()).not.toMatch(/@|First1|Last1/);
  expect([...(await objections(page)), ...(await tooWide(page))]).toEqual([]);
});
