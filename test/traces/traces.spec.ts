import { randomBytes, randomUUID } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DataOf, toBinary } from '@countersign/contracts';
import { type Running, startEverything } from '@countersign/local';
import { removeBroker, removePostgres, workspaceRoot } from '@countersign/servers';
import { temporaryDirectory } from '@countersign/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Visitor, visit } from '../flows/installation.js';
import { company, signal } from '../flows/signals.js';
import { type Collector, collector, type Span } from './collector.js';

let received: Collector;
let running: Running;
let visitor: Visitor;

/** Begins every planted value about a person. */
const marker = `pii${randomUUID().replaceAll('-', '').slice(0, 12)}`;

const remove = async (home: string): Promise<void> => {
  await removeBroker(join(home, 'kafka'));
  await removePostgres(join(home, 'postgres'));
  rmSync(home, { recursive: true, force: true });
};
let home: string;

beforeAll(async () => {
  received = await collector();
  home = await temporaryDirectory('traces', remove);
  const config = join(home, 'config');
  cpSync(join(workspaceRoot, 'deploy/config'), config, { recursive: true });
  running = await startEverything({
    home,
    config,
    ports: 'free',
    shortLived: true,
    env: {
      ...process.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: received.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '500',
      OTEL_METRIC_EXPORT_INTERVAL: '2000',
      OTEL_METRIC_EXPORT_TIMEOUT: '1500',
    },
    more: { 'paid-media-agent': { OTEL_SDK_DISABLED: 'true' } },
  });
  visitor = await visit({ home, ...running });
});
afterAll(async () => {
  await visitor?.leave();
  await running?.stop();
  await received?.close();
  if (home) await remove(home);
});

const found = (pick: (span: Span) => boolean, what: string): Promise<Span> =>
  visitor.until(`the span of ${what}`, () => received.spans.find(pick));

/** The span in which a service handled an event. */
const handled = (service: string, event: { readonly id: string }): Promise<Span> =>
  found(
    (span) => span.service === service && span.attributes['messaging.message.id'] === event.id,
    `${service} with ${event.id}`,
  );

/** A span and those above it, up to the one that begins the trace. */
async function upwards(span: Span): Promise<Span[]> {
  const chain = [span];
  for (let at = span; at.parentSpanId; ) {
    const { traceId, parentSpanId } = at;
    at = await found((s) => s.traceId === traceId && s.spanId === parentSpanId, `the parent of ${at.name}`);
    chain.push(at);
  }
  return chain;
}

const names = (chain: readonly Span[]): string[] => chain.map(({ service, name }) => `${service}: ${name}`);

const eventOf = (type: string, pick: (data: never) => boolean) =>
  visitor.until(`a ${type}`, () => visitor.events.find((e) => e.type === type && pick(e.data as never)));

/** The first action of an account that was executed, as the event that says so. */
const executed = (accountId: string, kind: string) =>
  visitor.until(`an executed ${kind} of ${accountId}`, () => {
    const approved = visitor.eventsOf(
      'ActionApproved',
      (a) => a.action.accountId === accountId && a.action.kind === kind,
    );
    const permits = new Set(approved.map((a) => a.permitId));
    return visitor.events.find((e) => {
      const { permitId, outcome } = e.data as DataOf<'ActionSettled'>;
      return e.type === 'ActionSettled' && permits.has(permitId) && outcome === 'executed';
    });
  });

/** Every signal in a request of its own, so that each begins a trace. */
async function surge(firm: ReturnType<typeof company>): Promise<void> {
  await visitor.accepted('crm', firm.known());
  for (const compared of firm.compare()) await visitor.accepted('website', [compared]);
}

/* Chains as they are walked: the latest span first. */
const toTheTask = [
  'sequencing-agent: process tasks.assigned.v1',
  'orchestrator: process signals.accepted.v1',
  'signal-ingestion: process signals.inbound.website.v1',
  'signal-ingestion: POST /v1/signals',
];
const proposed = 'guardrail-validator: process actions.proposed.sequencing-agent.v1';
const executing = ['action-executor: job permit', 'action-executor: process actions.approved.v1'];
const settlements = 'actions.settled.action-executor.v1';
const booked = `guardrail-validator: process ${settlements}`;

test('an executed action is one trace from the request that brought the signal to the settlement, each hop the child of the one before', async () => {
  const account = company(`trace-${randomUUID().slice(0, 8)}`);
  await surge(account);
  const settled = await executed(account.id, 'sequence.enroll');
  const chain = await upwards(await handled('guardrail-validator', settled));
  expect(names(chain)).toEqual([booked, ...executing, proposed, ...toTheTask]);
  expect(new Set(chain.map((span) => span.traceId)).size).toBe(1);
  expect(chain.filter((span) => span.failed)).toEqual([]);

  // Everybody who hears of it hears of it in this trace.
  for (const service of ['orchestrator', 'sequencing-agent', 'console'])
    expect((await handled(service, settled)).parentSpanId).toBe(chain[1]?.spanId);
  // Beside the chain stand the call, the transactions, the sends and the record; what is of several events is linked to all but the first.
  const sourcesOf = (s: Span) => [{ traceId: s.traceId, spanId: s.parentSpanId }, ...s.links];
  const besideAny = (name: string, above: readonly { traceId: string; spanId: string | undefined }[]) =>
    found(
      (s) =>
        s.name.startsWith(name) &&
        sourcesOf(s).some((c) => above.some(({ traceId, spanId }) => c.traceId === traceId && c.spanId === spanId)),
      `${name} beside the chain`,
    );
  const beside = (name: string, above: Span | undefined) => besideAny(name, above ? [above] : []);
  expect((await beside('call crm', chain[1])).attributes['countersign.outcome']).toBe('done');
  expect((await beside('transaction ', chain[3])).attributes).toMatchObject({
    'db.system.name': 'postgresql',
    'db.operation.name': 'transaction',
  });
  expect((await beside('send actions.approved.v1', chain[3])).attributes).toMatchObject({
    'messaging.system.name': 'kafka',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'actions.approved.v1',
  });
  const recorded = await beside(`record ${settlements}`, chain[1]);
  expect(recorded.service).toBe('audit-recorder');
  expect(recorded.attributes).toMatchObject({
    'messaging.consumer.group.name': 'audit-recorder',
    'messaging.destination.name': settlements,
  });
  // One transaction keeps records of several topics, each with a span; what it orders to sign stands under one of them.
  const stored = await beside('transaction ', recorded);
  expect((await besideAny('job checkpoint', sourcesOf(stored))).service).toBe('audit-recorder');
});

test('a signal on Kafka goes on with the trace that its publisher began, and without one begins a trace', async () => {
  const account = company(`kafka-${randomUUID().slice(0, 8)}`);
  const [first, second] = account.known();
  if (!first || !second) throw new Error('a company has people');
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  const producer = visitor.kafka('upstream').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const traced = { ...first, source: '/sources/upstream', traceparent: `00-${traceId}-${spanId}-01` };
  const plain = { ...second, source: '/sources/upstream' };
  await producer.send({
    topic: 'signals.inbound.upstream.v1',
    messages: [traced, plain].map((s) => ({ key: account.id, ...toBinary(s) })),
  });
  await producer.disconnect();
  expect(await handled('signal-ingestion', traced)).toMatchObject({ traceId, parentSpanId: spanId });
  const begun = await handled('signal-ingestion', plain);
  expect(begun.parentSpanId ?? '').toBe('');
  const accepted = await eventOf('SignalAccepted', (a: DataOf<'SignalAccepted'>) => a.signalId === traced.id);
  expect((await handled('orchestrator', accepted)).traceId).toBe(traceId);
});

test('a person who answers begins a trace of their own, linked to the one that waited', async () => {
  const account = company(`board-${randomUUID().slice(0, 8)}`, 3, 'c-suite');
  await surge(account);
  const escalated = await eventOf(
    'ActionEscalated',
    (e: DataOf<'ActionEscalated'>) => e.action.accountId === account.id && e.action.kind === 'email.send',
  );
  const { proposalId } = escalated.data as DataOf<'ActionEscalated'>;
  const answer = await visitor.cli('review', 'approve', proposalId, '--yes');
  expect(answer.code, answer.err).toBe(0);
  const settled = await eventOf(
    'ActionSettled',
    (s: DataOf<'ActionSettled'>) => s.proposalId === proposalId && s.outcome === 'executed',
  );
  const chain = await upwards(await handled('guardrail-validator', settled));
  expect(names(chain)).toEqual([
    booked,
    ...executing,
    'guardrail-validator: process reviews.decided.v1',
    'console: act',
  ]);
  const waited = await upwards(await handled('console', escalated));
  // The message is a step of a sequence whose enrolment was executed first: one chain, all the way back to the signal.
  expect(names(waited)).toEqual([
    'console: process actions.escalated.v1',
    proposed,
    'sequencing-agent: job step',
    'sequencing-agent: process actions.settled.action-executor.v1',
    ...executing,
    proposed,
    ...toTheTask,
  ]);
  expect(chain[0]?.traceId).not.toBe(waited[0]?.traceId);
  expect(chain.at(-1)?.links).toMatchObject([{ traceId: waited[0]?.traceId, spanId: waited[0]?.spanId }]);
});

test('every instrument that this work touches arrives, with the unit that it is documented with', async () => {
  const expected: Record<string, string> = {
    'messaging.client.consumed.messages': '{message}',
    'messaging.process.duration': 's',
    'messaging.client.sent.messages': '{message}',
    'messaging.client.operation.duration': 's',
    'db.client.operation.duration': 's',
    'http.server.request.duration': 's',
    'countersign.events': '{event}',
    'countersign.batch.size': '{event}',
    'countersign.event.age': 's',
    'countersign.consumer.lag': '{event}',
    'countersign.state.age': 's',
    'countersign.signals': '{signal}',
    'countersign.tasks': '{task}',
    'countersign.verdicts': '{verdict}',
    'countersign.reviews': '{review}',
    'countersign.permits.settled': '{permit}',
    'countersign.connector.duration': 's',
    'countersign.jobs': '{job}',
    'countersign.jobs.oldest': 's',
    'countersign.jobs.attempts': '{attempt}',
    'countersign.job.attempts': '{attempt}',
    'countersign.job.duration': 's',
  };
  for (const [metric, unit] of Object.entries(expected)) {
    const point = await visitor.until(metric, () => received.points.find((p) => p.metric === metric));
    expect(point.unit, metric).toBe(unit);
  }
  for (const metric of ['countersign.event.age', 'countersign.events', 'countersign.consumer.lag'])
    await visitor.until(`${metric} of the record`, () =>
      received.points.find((p) => p.metric === metric && p.service === 'audit-recorder'),
    );
  const last = (metric: string, attributes: Record<string, unknown>) =>
    received.points.findLast(
      (p) => p.metric === metric && Object.entries(attributes).every(([name, value]) => p.attributes[name] === value),
    )?.value;
  const counted = async (metric: string, attributes: Record<string, unknown>, n: () => number) => {
    await visitor.until(`${metric} to be ${n()}`, () => last(metric, attributes) === n());
  };
  await counted(
    'countersign.signals',
    { 'countersign.outcome': 'accepted' },
    () => visitor.eventsOf('SignalAccepted').length,
  );
  await counted(
    'countersign.verdicts',
    { 'countersign.outcome': 'escalated', 'countersign.rule': 'first-touch' },
    () =>
      visitor.eventsOf('ActionEscalated', (e) =>
        e.verdict.reasons.some((r) => r.rule === 'first-touch' && r.outcome !== 'pass'),
      ).length,
  );
  await counted(
    'countersign.permits.settled',
    { 'countersign.outcome': 'executed' },
    () => visitor.eventsOf('ActionSettled', (s) => s.outcome === 'executed').length,
  );
});

test('a dead letter is counted by its topic and why', async () => {
  const producer = visitor.kafka('sequencing-agent').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({ topic: 'tasks.settled.sequencing-agent.v1', messages: [{ key: 'k', value: `{"${marker}` }] });
  await producer.disconnect();
  const { attributes } = await visitor.until('the dead letter to be counted', () =>
    received.points.find((p) => p.metric === 'countersign.dead_letters' && p.service === 'orchestrator'),
  );
  expect(attributes).toMatchObject({
    'messaging.destination.name': 'tasks.settled.sequencing-agent.v1',
    'countersign.reason': 'not-json',
  });
});

test('nothing about a person leaves, whatever an upstream puts where; a service that is switched off sends nothing', async () => {
  const account = company(`quiet-${randomUUID().slice(0, 8)}`);
  const person = { ref: `crm:${marker}`, email: `${marker}@${marker}.example` };
  const known = signal('crm', 'ContactUpserted', {
    account: { id: account.id },
    contact: person,
    seniority: 'manager',
    consents: [{ purpose: 'sales', channel: 'email', status: 'granted' }],
    person: { firstName: `${marker}first`, lastName: `${marker}last` },
  });
  // Upstreams choose ids and vendors fill tracestate.
  const id = `${marker}@${marker}.example`;
  const traced = {
    tracestate: `vendor=${marker}`,
    traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
  };
  await visitor.accepted('crm', [...account.known(), { ...known, id, ...traced } as typeof known]);
  for (const compared of account.compare([person, ...account.people])) await visitor.accepted('website', [compared]);
  await executed(account.id, 'sequence.enroll');
  const accepted = await eventOf('SignalAccepted', (a: DataOf<'SignalAccepted'>) => a.signalId === id);
  await handled('orchestrator', accepted);
  // The span of the signal itself is there, under an id that tells nothing.
  await found(
    (s) =>
      s.service === 'signal-ingestion' && /^sha256:[0-9a-f]{16}$/.test(String(s.attributes['messaging.message.id'])),
    'a signal whose id is an address',
  );
  await running.stop();
  expect(received.bodies.filter((body) => body.toLowerCase().includes(marker))).toEqual([]);
  expect(new Set(received.spans.map((span) => span.service))).not.toContain('paid-media-agent');
  expect(new Set(received.points.map((point) => point.service))).not.toContain('paid-media-agent');
  expect(new Set(received.points.map((point) => point.service)).size).toBe(7);
});
