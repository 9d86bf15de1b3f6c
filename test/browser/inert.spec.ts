import { eventBytes } from '@countersign/record';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { settled } from './looks.js';
import { type Screen, screens } from './person.js';
import { stage } from './stage.js';
import { waiting } from './waiting.js';

/* What others wrote is shown as they wrote it: it runs nothing, leads nowhere and changes nothing on the page. */

const on = stage();
const onEach = test.each(Object.keys(screens) as Screen[]);
const hostile = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
/** What a page that makes links of addresses would make some of, in each of the ways that such pages know. */
const name = `${hostile} [click](javascript:alert(3)) https://evil.example/a www.evil.example me@evil.example`;
let [proposalId, accountId] = ['', ''];
beforeAll(async () => {
  const [message] = await waiting(on.visitor, 1, name);
  proposalId = message?.proposalId ?? '';
  accountId = message?.action.accountId ?? '';
});

/** Elements that only the hostile text could have made. */
const made = (page: Page): Promise<number> =>
  page
    .locator(
      'img[src="x"], [href^="javascript:" i], [href*="evil.example" i], [src*="evil.example" i], [action*="evil.example" i], script:not([src]):not([nonce])',
    )
    .count();

/** The console answers this path with the hostile text at these places. */
const answeredWith = async (page: Page, path: string, change: (answer: never) => object): Promise<void> => {
  await page.route(path, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: change((await response.json()) as never) });
  });
};

async function personAddress(): Promise<string> {
  const { people } = await on.visitor.answer<{ people: { contactId: string }[] }>('people', accountId);
  return `/people/${people[0]?.contactId}`;
}

/** Waits until the text is there as it was written, so many times at least, and expects that nothing was made of it. */
async function expectText(page: Page, atLeast: number): Promise<void> {
  await expect.poll(() => page.getByText('https://evil.example/a').count()).toBeGreaterThanOrEqual(atLeast);
  await settled(page);
  expect(await page.getByText(hostile).count()).toBeGreaterThanOrEqual(atLeast);
  expect(await made(page)).toBe(0);
}

test('an element that such a text made would be found', async () => {
  const { page } = await on.enter();
  await page.goto('/');
  for (const element of [
    '<a href="https://evil.example/a">x</a>',
    '<a href="mailto:me@evil.example">x</a>',
    '<a href="JavaScript:void 0">x</a>',
    '<img src="x" alt="">',
    '<form action="//www.evil.example"></form>',
  ]) {
    const planted = `<div id="planted">${element}</div>`;
    await page.evaluate<void>(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(planted)})`);
    expect(await made(page), element).toBe(1);
    // By its id: the page, which is still starting, may have added something behind it.
    await page.evaluate<void>(`document.getElementById('planted').remove()`);
  }
});

onEach(
  "on a %s an account's name of markup, script and link is text on the card, in the list and in the story",
  async (screen) => {
    const { page } = await on.enter({ on: screen });
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
  },
);

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

onEach(
  "on a %s the same as an agent's reasons, as the subject and the body of a mail, and as the words and the address of an advertisement",
  async (screen) => {
    const { page } = await on.enter({ on: screen });
    let kind: 'email.send' | 'ads.publish_creative' = 'email.send';
    const payloads = {
      'email.send': { subject: name, body: `${name}\n${name}` },
      'ads.publish_creative': {
        ...{ adAccountId: 'ads-1', campaignId: name, creativeId: 'one', headline: name, body: name },
        url: 'https://evil.example/a?"><script>alert(4)</script>',
      },
    };
    interface Shown {
      readonly action: { readonly payload: object };
      readonly agentSays: object;
    }
    await answeredWith(page, `**/v1/reviews/${proposalId}`, ({ action, agentSays, ...card }: Shown) => ({
      ...card,
      action: { ...action, kind, payload: { ...(kind === 'email.send' && action.payload), ...payloads[kind] } },
      agentSays: { ...agentSays, quote: name },
    }));
    await page.goto(`/reviews/${proposalId}`);
    const mail = page.getByRole('region', { name: 'The mail' });
    await mail.getByText(name).first().waitFor();
    // In the sentence above, in the mail, and under what the agent says.
    await expectText(page, 4);
    await page.getByRole('blockquote').getByText(name).waitFor();

    kind = 'ads.publish_creative';
    await page.reload();
    const advertisement = page.getByRole('region', { name: 'The advertisement' });
    await advertisement.getByText('Leads to https://evil.example/a?"><script>alert(4)</script>').waitFor();
    await expectText(page, 5);
  },
);

onEach('on a %s the same as what a step of a story says, and as the reasons of its agent', async (screen) => {
  const { page } = await on.enter({ on: screen });
  const data = { rationale: name, action: { payload: { url: 'https://evil.example/a', headline: name } } };
  const bytes = Buffer.from(eventBytes({ key: null, headers: {}, value: Buffer.from(JSON.stringify(data)) }));
  await answeredWith(page, '**/v1/events/*/record', (event: object) => ({ ...event, bytes: bytes.toString('base64') }));
  await answeredWith(page, `**/v1/stories/${proposalId}`, ({ steps, ...story }: { steps: object[] }) => ({
    ...story,
    steps: steps.map((step) => ({ ...step, detail: name })),
  }));
  await page.goto(`/stories/${proposalId}`);
  await page.getByRole('button', { name: 'Facts and rules' }).first().click();
  await page.getByRole('blockquote').getByText(name).waitFor();
  await page.getByRole('definition').getByText(name).waitFor();
  await expectText(page, 4);
});

test("the same as a person's job, and as what they agreed to", async () => {
  const { page } = await on.enter();
  const address = await personAddress();
  interface Known {
    readonly consents: object[];
  }
  await answeredWith(page, `**/v1${address}`, ({ consents, ...person }: Known) => ({
    ...person,
    jobFunction: name,
    consents: consents.map((consent) => ({ ...consent, basis: name })),
  }));
  await page.goto(address);
  await page.getByRole('region', { name: 'Consent' }).getByText(`“${name}”`).first().waitFor();
  await page.getByRole('heading', { level: 1 }).getByText(hostile).waitFor();
  await expectText(page, 2);
});

test('the same as the detail of a rejected signal, and as the fault of a dead letter', async () => {
  const { page } = await on.enter();
  const fault = { code: 'contract', detail: name, field: 'data.x' };
  const at = new Date().toISOString();
  const place = { topic: 'signals.inbound.crm.v1', partition: 0, offset: '1' };
  const rejected = {
    ...{ id: '1', code: 'contract', title: 'It breaks its contract', change: 'Correct it.', reasons: [fault] },
    ...{ at, source: '/sources/crm', signalId: name, type: name, ...place },
  };
  await answeredWith(page, '**/v1/signals/rejected?*', () => ({ rejected: [rejected], next: null }));
  await page.goto('/sources/rejected');
  await expectText(page, 2);

  const letter = {
    ...{ deadLetterId: '3f2a6c1e-0000-5000-8000-000000000001', service: 'orchestrator', type: null, job: null, fault },
    ...{ attempts: 5, at, state: 'failed-again', endedAt: at, failedAgain: fault, ...place },
    ...{ replayedBy: 'lea', replayedAt: at, replayNote: name },
  };
  await answeredWith(page, '**/v1/dead-letters?*', () => ({ deadLetters: [letter], next: null }));
  await page.goto('/sources/dead-letters');
  await expectText(page, 3);
});

const id = '3f2a6c1e-0000-5000-8000-000000000001';
const at = new Date().toISOString();
type Titled = { readonly title: string };
type Found<K extends string> = Readonly<Record<K, readonly object[]>>;

/** Members of a page's answer that somebody wrote: where the page is, what it reads, the text in it, and how often the page has it. */
const members: readonly {
  readonly member: string;
  readonly address: () => string | Promise<string>;
  readonly path: string;
  readonly change: (answer: never) => object;
  readonly atLeast: number;
  readonly press?: (page: Page) => Promise<void>;
}[] = [
  {
    member: "the texts of an agent's charter, and the titles of its plays",
    address: () => '/agents/paid-media-agent',
    path: '**/v1/agents/paid-media-agent?*',
    change: (agent: Found<'charter' | 'plays'>) => ({
      ...agent,
      charter: agent.charter.map((section) => ({ ...section, lines: [name] })),
      plays: agent.plays.map((play) => ({ ...play, title: name })),
    }),
    atLeast: 3,
  },
  {
    member: 'the owner of an agent, and the titles of its plays',
    address: () => '/agents',
    path: '**/v1/agents?*',
    change: ({ agents, ...more }: Found<'agents'>) => ({
      ...more,
      agents: agents.map((agent) => ({ ...agent, owner: name, plays: [{ id: 'a-play', title: name }] })),
    }),
    atLeast: 2,
  },
  {
    member: 'the title of a play, and what starts it, in the list',
    address: () => '/plays',
    path: '**/v1/plays',
    change: ({ plays }: Found<'plays'>) => ({ plays: plays.map((play) => ({ ...play, title: name, starts: name })) }),
    atLeast: 2,
  },
  {
    member: 'the title of a play, and its steps, on its page',
    address: () => '/plays/return-below-floor',
    path: '**/v1/plays/return-below-floor',
    change: ({ steps, ...play }: Found<'steps'> & Titled) => ({
      ...play,
      title: name,
      steps: steps.map((step) => ({ ...step, title: name, lines: [name] })),
    }),
    atLeast: 3,
  },
  {
    member: 'the values of a policy',
    address: () => '/policy',
    path: '**/v1/policies/versions/*',
    change: ({ content, ...version }: { readonly content: Found<'plays'> }) => ({
      ...version,
      content: { ...content, plays: content.plays.map((play) => ({ ...play, title: name })) },
    }),
    atLeast: 1,
    press: (page) => page.getByLabel('Find a setting').fill('evil.example'),
  },
  {
    member: 'the note of a gap',
    address: () => '/runbook/gap',
    path: '**/v1/gaps/acknowledged',
    change: () => ({
      acknowledged: [
        {
          ...{ gapId: id, service: 'console', topic: 'actions.approved.v1', topicId: 't', partition: 0 },
          ...{ from: 1, to: 2, reason: 'records-deleted' },
          ...{ by: 'lea', note: name, at, answer: null },
        },
      ],
    }),
    atLeast: 1,
  },
  {
    member: 'the detail of what is unresolved, and the note of its settlement',
    address: () => '/runbook/hand-back',
    path: '**/v1/settlements?*',
    change: () => ({
      unresolved: [
        {
          ...{ permitId: id, actionId: id, proposalId: id, executor: 'action-executor', connector: 'webhook' },
          ...{ detail: name, at, outcome: 'unresolved' },
          decision: { decisionId: id, outcome: 'executed', by: 'lea', note: name, at },
        },
      ],
      next: null,
    }),
    atLeast: 2,
    press: (page) => page.getByRole('radio').first().check(),
  },
  {
    member: 'the note of a reveal',
    address: personAddress,
    path: '**/v1/people/*/reveals?*',
    change: () => ({
      reveals: [
        {
          ...{ revealId: id, by: 'lea', fields: ['name'], purpose: 'complaint', note: name, at },
          ...{ state: 'refused', reason: null },
        },
      ],
      next: null,
    }),
    atLeast: 1,
  },
  {
    member: 'the name of a campaign',
    address: () => `/reviews/${proposalId}`,
    path: '**/v1/reviews/*-*',
    change: ({ action, facts, ...card }: { readonly action: object; readonly facts: object }) => ({
      ...card,
      action: { ...action, kind: 'ads.pause_campaign', payload: { adAccountId: 'ads-1', campaignId: 'c-1' } },
      facts: { ...facts, campaigns: [{ campaignId: 'c-1', name, currency: 'EUR' }] },
    }),
    atLeast: 2,
  },
];

test.each(members)('the same as $member', async ({ address, path, change, atLeast, press }) => {
  const { page } = await on.enter();
  await answeredWith(page, path, change);
  await page.goto(await address());
  await settled(page);
  await press?.(page);
  await expectText(page, atLeast);
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
