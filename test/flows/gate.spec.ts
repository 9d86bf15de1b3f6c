import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DataOf, derivedId, digestOf, sourceOf, toBinary } from '@countersign/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { company, signal } from './signals.js';

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

/** Writes one record as a principal; returns where it stands, or the broker's refusal. */
async function write(principal: string, topic: string, event: Parameters<typeof toBinary>[0]) {
  const producer = visitor.kafka(principal).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    const [sent] = await producer.send({ topic, acks: -1, messages: [{ key: event.id, ...toBinary(event) }] });
    return { partition: sent?.partition, offset: sent?.baseOffset };
  } catch (error) {
    return { refused: String(error) };
  } finally {
    await producer.disconnect();
  }
}

const event = (principal: string, type: string, data: unknown) => ({
  id: randomUUID(),
  source: sourceOf(principal),
  type,
  time: new Date().toISOString(),
  data,
});

test.each([
  'actions.approved.v1',
  'actions.refused.v1',
  'controls.v1',
  'consents.v1',
  'policies.v1',
  'reviews.decided.v1',
  'actions.settled.action-executor.v1',
  'actions.proposed.sequencing-agent.v1',
  'signals.inbound.website.v1',
])('[case 4] the broker lets no agent write %s', async (topic) => {
  const agent = 'paid-media-agent';
  const { refused } = await write(agent, topic, event(agent, 'ActionApproved', {}));
  expect(refused).toMatch(/not authorized/i);
  // No record of ours can hold what was never written; the broker keeps one of its own, of the first right that was missing.
  const denied = new RegExp(`User:${agent} is Denied operation = (WRITE|DESCRIBE) .* Topic:LITERAL:${topic} `);
  await visitor.until('the broker to note it', () =>
    denied.test(readFileSync(join(visitor.home, 'kafka/broker.log'), 'utf8')),
  );
});

test('an agent writes its own topic, so it is the topic that the broker refuses', async () => {
  const written = await write(
    'paid-media-agent',
    'actions.proposed.paid-media-agent.v1',
    event('paid-media-agent', 'ActionProposed', { this: 'is no proposal' }),
  );
  expect(written).toMatchObject({ offset: expect.any(String) });
});

test('nobody comes in without a password, or with that of another', async () => {
  const admin = visitor.kafka('nobody').admin();
  await expect(admin.connect()).rejects.toThrow(/authentication/i);
});

test('[case 12] an approval without a valid permit runs nothing, whoever writes it, and is recorded', async () => {
  const { id, people, known, compare } = company(`forged-${randomUUID().slice(0, 8)}`, 4);
  await visitor.accepted('crm', known());
  const [first] = await visitor.accepted('website', compare(people.slice(0, 3)));
  const approved = await visitor.until('an approved message', () =>
    visitor
      .eventsOf('ActionApproved', (a) => a.action.accountId === id && a.action.payload.contactId === first?.contactId)
      .find((a) => a.action.kind === 'email.send'),
  );
  // Somebody nobody has written to, known by the one signal that names them.
  const [bystander] = await visitor.accepted('website', [
    signal('website', 'PageViewed', { contact: { ref: people[3]?.ref ?? '' }, url: 'https://www.example.com/' }),
  ]);
  const contactId = bystander?.contactId ?? '';
  expect(contactId).not.toBe('');

  const forgeries: Record<string, DataOf<'ActionApproved'>> = {
    signature: forged(approved, contactId),
    digest: { ...approved, action: { ...approved.action, payload: { ...approved.action.payload, contactId } } },
    unsigned: { ...approved, permitId: randomUUID(), permit: unsigned(approved.permit) },
  };
  const principal = 'guardrail-validator';
  const rejected: Record<string, string> = {};
  for (const [what, forgery] of Object.entries(forgeries)) {
    const place = await write(principal, 'actions.approved.v1', event(principal, 'ActionApproved', forgery));
    const found = await visitor.until(`the rejection of a permit with a false ${what}`, () =>
      visitor.eventsOf('PermitRejected', (r) => r.partition === place.partition && r.offset === place.offset).at(0),
    );
    rejected[what] = found.reason.code;
  }
  expect(rejected).toEqual({ signature: 'signature', digest: 'digest', unsigned: 'algorithm' });

  // The one that was countersigned runs, once; a replay of it under another id is only recorded.
  await visitor.until('the settlement of the true one', () =>
    visitor.eventsOf('ActionSettled', (s) => s.permitId === approved.permitId).at(0),
  );
  const again = await write(principal, 'actions.approved.v1', event(principal, 'ActionApproved', approved));
  await visitor.until('the rejection of the replay', () =>
    visitor.eventsOf('PermitRejected', (r) => r.partition === again.partition && r.offset === again.offset).at(0),
  );
  const { messages } = await visitor.sandbox<{ messages: { contactId: string }[] }>('mailer/messages');
  expect(messages.filter((m) => m.contactId === contactId)).toEqual([]);
  expect(messages.filter((m) => m.contactId === first?.contactId)).toHaveLength(1);
  expect(visitor.eventsOf('ActionSettled', (s) => s.permitId === approved.permitId)).toMatchObject([
    { outcome: 'executed' },
  ]);
});

test('a task that was given to one agent lets neither another agent act under it, nor the same one for another account, campaign or kind', async () => {
  const agent = 'paid-media-agent';
  const at = new Date().toISOString();
  const account = `foreign-${randomUUID().slice(0, 8)}`;
  const play = { id: 'tier-1-comparison-surge', runId: randomUUID(), title: 'Tier-1 comparison surge' };
  const propose = async (change: Partial<DataOf<'ActionProposed'>>, taskId = randomUUID()) => {
    const proposalId = randomUUID();
    const data: DataOf<'ActionProposed'> = {
      ...{ proposalId, taskId, agent, play, purpose: 'p', kinds: ['ads.set_bid'], rationale: 'r', evidence: [] },
      ...{ confidence: 1, alternatives: [], planner: { kind: 'rules', name: 'r' }, lineage: 'trusted' },
      action: {
        actionId: derivedId('action', proposalId),
        kind: 'ads.set_bid',
        accountId: account,
        payload: { adAccountId: 'ads-emea', campaignId: 'cmp-comparison', bidMinor: 100, currency: 'EUR' },
      },
      proposedAt: at,
      madeFrom: {},
      ...change,
    };
    await write(agent, `actions.proposed.${agent}.v1`, event(agent, 'ActionProposed', data));
    return { proposalId, taskId };
  };
  const assign = (taskId: string, change: Partial<DataOf<'TaskAssigned'>>) => {
    // Its time is over, so whoever it is given to declines it.
    const due = new Date(Date.now() - 10_000).toISOString();
    const data: DataOf<'TaskAssigned'> = {
      ...{ taskId, play, agent, purpose: 'p', kinds: ['ads.set_bid'], settings: {}, accountId: account },
      ...{ adAccountId: 'ads-emea', contactIds: [], evidence: [], assignedAt: due, dueAt: due, madeFrom: {} },
      ...change,
    };
    return write('orchestrator', 'tasks.assigned.v1', event('orchestrator', 'TaskAssigned', data));
  };
  const against = async ({ proposalId }: { proposalId: string }) => {
    const refused = await visitor.until('a verdict', () =>
      visitor.eventsOf('ActionRefused', (r) => r.proposalId === proposalId).at(0),
    );
    const rules = refused.verdict.reasons.filter((r) => r.outcome === 'refuse');
    return rules.flatMap((r) => (r.rule.startsWith('task') ? [`${r.rule}: ${r.detail}`] : []));
  };
  const unknown = await propose({});
  const changes = [
    { agent: 'sequencing-agent' },
    { accountId: 'another' },
    { kinds: ['email.send'] },
    { campaignId: 'cmp-display' },
  ];
  const under = await Promise.all(
    changes.map(async (change) => {
      // The proposal first: it waits for its task.
      const proposed = await propose({});
      await assign(proposed.taskId, change);
      return proposed;
    }),
  );
  expect(await Promise.all(under.map(against))).toEqual([
    ['task: the agent of the task is sequencing-agent, that of the proposal is paid-media-agent'],
    [`task: the account of the task is another, that of the proposal is ${account}`],
    ['task: the task was assigned with email.send, not with ads.set_bid'],
    ['task: the campaign of the task is cmp-display, that of the proposal is cmp-comparison'],
  ]);
  expect(await against(unknown)).toEqual([`task-unknown: no task ${unknown.taskId} was assigned to anybody`]);
});

const decoded = (segment = '') => JSON.parse(Buffer.from(segment, 'base64url').toString()) as Record<string, unknown>;
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Everything as it has to be, for another contact, signed by a key of one's own under the validator's name. */
function forged(approved: DataOf<'ActionApproved'>, contactId: string): DataOf<'ActionApproved'> {
  const action = {
    ...approved.action,
    actionId: derivedId('forged', approved.actionId),
    payload: { ...approved.action.payload, contactId },
  };
  const [header, payload] = approved.permit.split('.');
  const permitId = randomUUID();
  const digest = digestOf(action);
  const claims = { ...decoded(payload), jti: permitId, sub: action.actionId, digest };
  const text = `${header}.${encoded(claims)}`;
  const { privateKey } = generateKeyPairSync('ed25519');
  const permit = `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
  return { ...approved, actionId: action.actionId, action, digest, permitId, permit };
}

/** `alg: none`. */
function unsigned(permit: string): string {
  const [header, payload] = permit.split('.');
  return `${encoded({ ...decoded(header), alg: 'none' })}.${payload}.`;
}
