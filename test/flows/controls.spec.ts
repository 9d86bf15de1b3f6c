import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { company, inSandbox, reports } from './signals.js';

const agent = 'paid-media-agent';
const scope = `agent:${agent}`;

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(async () => {
  await visitor?.cli('resume', '--agent', agent, '--reason', 'the test is over');
  await visitor?.cli('resume', '--channel', 'email', '--reason', 'the test is over');
  await visitor?.leave();
});

/** A campaign so far below its floor that the agent wants to pause it. */
async function losing(): Promise<{ campaignId: string; publish: () => Promise<unknown> }> {
  const name = randomUUID().slice(0, 8);
  const campaign = {
    campaignId: `cmp-${name}`,
    adAccountId: `ads-${name}`,
    dailyBudgetMinor: 30_000,
    returnPercent: 10,
  };
  const ports = visitor.ports();
  await ports.act({ kind: 'campaigns', campaigns: [inSandbox(campaign)] });
  await ports.close();
  return { campaignId: campaign.campaignId, publish: () => visitor.accepted('ads', reports(campaign)) };
}

const verdictOf = (campaignId: string) =>
  visitor.until(`the verdict on ${campaignId}`, () => {
    const about = ({ action }: { action?: { payload: Record<string, unknown> } | undefined }) =>
      action?.payload.campaignId === campaignId;
    return visitor.eventsOf('ActionRefused', about)[0] ?? visitor.eventsOf('ActionApproved', about)[0];
  });

const statusOf = async (campaignId: string) => {
  const { campaigns } = await visitor.sandbox<{ campaigns: { campaignId: string; status: string }[] }>('ads/campaigns');
  return campaigns.find((c) => c.campaignId === campaignId)?.status;
};

const untilControl = (state: string, controlled = scope) =>
  visitor.until(
    `${controlled} to be ${state}`,
    () => visitor.eventsOf('ControlChanged', (c) => c.scope === controlled).at(-1)?.state === state,
  );

test('countersign stop stops one agent, the other goes on, and resume lets it go on', async () => {
  const stop = await visitor.cli('stop', '--agent', agent, '--reason', 'bids look wrong');
  expect(stop).toMatchObject({ code: 0, out: expect.stringContaining(`${scope} is stopped`) });
  expect(stop.out).toContain('Confirmed by guardrail-validator, action-executor.');
  await untilControl('stopped');
  expect((await visitor.cli('controls')).out).toMatch(/bids look wrong/);

  const first = await losing();
  await first.publish();
  const refused = await verdictOf(first.campaignId);
  expect(refused.verdict.reasons.filter((r) => r.outcome === 'refuse')).toMatchObject([
    { rule: 'kill-control', detail: expect.stringMatching(/agent:paid-media-agent.*lea.*bids look wrong/) },
  ]);

  const { id, known, compare } = company(`other-agent-${randomUUID().slice(0, 8)}`);
  await visitor.accepted('crm', known());
  await visitor.accepted('website', compare());
  await visitor.until('an enrolment by the other agent', () => {
    const approved = visitor.eventsOf(
      'ActionApproved',
      (a) => a.action.accountId === id && a.agent === 'sequencing-agent',
    );
    return approved.some(
      (a) => visitor.eventsOf('ActionSettled', (s) => s.permitId === a.permitId)[0]?.outcome === 'executed',
    );
  });
  expect(await statusOf(first.campaignId)).toBe('active');

  expect(await visitor.cli('resume', '--agent', agent, '--reason', 'bids are right')).toMatchObject({ code: 0 });
  await untilControl('running');
  const second = await losing();
  await second.publish();
  const approved = await verdictOf(second.campaignId);
  expect(approved.verdict.outcome).toBe('approved');
  await visitor.until('the campaign to be paused', async () => (await statusOf(second.campaignId)) === 'paused');
  expect(await statusOf(first.campaignId)).toBe('active');
});

test('a stop after the approval is obeyed by the executor: a message that waits for its time is not sent', async () => {
  const { id, known, compare } = company(`stopped-${randomUUID().slice(0, 8)}`);
  await visitor.accepted('crm', known());
  const [accepted] = await visitor.accepted('website', compare());
  const approved = await visitor.until('an approved message', () =>
    visitor
      .eventsOf('ActionApproved', (a) => a.action.kind === 'email.send' && a.action.accountId === id)
      .find((a) => a.action.payload.contactId === accepted?.contactId),
  );
  expect((await visitor.cli('stop', '--channel', 'email', '--reason', 'a wrong text')).code).toBe(0);
  const settled = await visitor.until('its settlement', () =>
    visitor.eventsOf('ActionSettled', (s) => s.permitId === approved.permitId).at(0),
  );
  expect(settled).toMatchObject({ outcome: 'refused', reason: { detail: expect.stringMatching(/channel:email/) } });
  const { messages } = await visitor.sandbox<{ messages: { contactId: string }[] }>('mailer/messages');
  expect(messages.filter((m) => m.contactId === accepted?.contactId)).toEqual([]);
  expect((await visitor.cli('resume', '--channel', 'email', '--reason', 'the text is right')).code).toBe(0);
  await untilControl('running', 'channel:email');
});

test('a stop of one account ends the permits that wait for it, with its name; a message to another account goes out', async () => {
  const [stopped, other] = ['account-stops', 'account-goes-on'].map((name) =>
    company(`${name}-${randomUUID().slice(0, 8)}`),
  );
  if (!stopped || !other) throw new Error('two companies expected');
  await visitor.accepted('crm', [...stopped.known(), ...other.known()]);
  for (const { compare } of [other, stopped]) await visitor.accepted('website', compare());
  const approved = (id: string) =>
    visitor.until(
      `an approved message to ${id}`,
      () => visitor.eventsOf('ActionApproved', (a) => a.action.kind === 'email.send' && a.action.accountId === id)[0],
    );
  const outstanding = await approved(stopped.id);
  expect((await visitor.cli('stop', '--account', stopped.id, '--reason', 'they complained')).code).toBe(0);
  const settled = (permitId: string) =>
    visitor.until(`the end of ${permitId}`, () => visitor.eventsOf('ActionSettled', (s) => s.permitId === permitId)[0]);
  expect(await settled(outstanding.permitId)).toMatchObject({
    outcome: 'refused',
    reason: { detail: expect.stringMatching(new RegExp(`account:${stopped.id} by lea: they complained`)) },
  });
  const sent = await approved(other.id);
  expect(await settled(sent.permitId)).toMatchObject({ outcome: 'executed' });
  const { messages } = await visitor.sandbox<{ messages: { contactId: string }[] }>('mailer/messages');
  expect(messages.filter((m) => m.contactId === outstanding.action.payload.contactId)).toEqual([]);
  expect(messages.filter((m) => m.contactId === sent.action.payload.contactId)).toHaveLength(1);
  expect((await visitor.cli('resume', '--account', stopped.id, '--reason', 'they agreed')).code).toBe(0);
  await untilControl('running', `account:${stopped.id}`);
});
