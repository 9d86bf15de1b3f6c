import { randomUUID } from 'node:crypto';
import { topicConfig, topicNamed, topology } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import type { Broker } from '@countersign/servers';
import { makeTopicAgain } from '@countersign/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Visitor, visit } from '../flows/installation.js';
import { company } from '../flows/signals.js';
import { type Started, start } from '../flows/started.js';

/* Real processes; topics are deleted and made again under them, and a person goes the way that docs/sre.md says. */

const topic = 'signals.accepted.v1';

let started: Started;
let visitor: Visitor;
let admin: kafkajs.Admin;
beforeAll(async () => {
  started = await start();
  visitor = await visit({ home: started.home, ...started.running });
  const { bootstrap, admin: login } = started.running.broker as Broker;
  const sasl = { mechanism: 'scram-sha-256', ...login } as const;
  admin = new kafkajs.Kafka({ brokers: [bootstrap], sasl, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(async () => {
  await admin?.disconnect();
  await visitor?.leave();
  await started?.stop();
});

const makeAgain = (name: string): Promise<void> => {
  const described = topicNamed(name, topology());
  return makeTopicAgain(admin, { name, partitions: described.partitions, config: topicConfig(described) });
};

interface Listed {
  readonly gaps: readonly { readonly service: string; readonly topic: string; readonly acknowledged?: unknown }[];
}
interface Audit {
  readonly violations: readonly { readonly detail: string; readonly ids: readonly string[] }[];
}
const gaps = async (...words: string[]) => (await visitor.answer<Listed>('gaps', ...words)).gaps;
const violations = async () => (await visitor.answer<Audit>('audit', 'invariants', '--grace', '5')).violations;
const readers = ['audit-recorder', 'console', 'orchestrator'];
const servicesOf = (found: readonly { service: string }[]) => [...new Set(found.map((gap) => gap.service))].sort();

test('a topic that was deleted and made again is a gap of each reader, until a person acknowledges it with a note: then health and audit are as before', async () => {
  const { known, compare } = company(`gap-${randomUUID().slice(0, 8)}`);
  const signals = known();
  await visitor.accepted('crm', signals);
  // What began with the start of the system may be on its way still.
  await vi.waitFor(async () => expect(await violations()).toEqual([]), { timeout: 60_000, interval: 500 });
  await vi.waitFor(
    async () => expect(await visitor.cli('gaps')).toMatchObject({ code: 0, out: expect.stringContaining('No gaps.') }),
    { timeout: 60_000, interval: 500 },
  );

  await makeAgain(topic);
  await visitor.until('each reader to tell of it', async () => servicesOf(await gaps()).length === readers.length);
  expect(servicesOf(await gaps())).toEqual(readers);
  expect(await visitor.cli('gaps', '--service', 'orchestrator')).toMatchObject({ code: 1 });
  // Of what the topic has forgotten the record knows: only the gaps themselves are violations.
  expect([...new Set((await violations()).map(({ detail }) => detail.replaceAll(/\d+/g, 'n').slice(0, 22)))]).toEqual([
    'the records from offse',
  ]);
  expect(await visitor.cli('status')).toMatchObject({
    code: 1,
    out: expect.stringMatching(/orchestrator +degraded.*gaps/),
  });

  // A service that starts with a gap works, or nobody could acknowledge it.
  await started.running.services.get('orchestrator')?.stop(25_000);
  await started.running.restart('orchestrator');

  // Not without a note, and not what is none.
  expect(await visitor.cli('gaps', 'acknowledge', topic)).toMatchObject({
    code: 2,
    err: expect.stringContaining("required option '--note <text>' not specified"),
  });
  expect(await visitor.cli('gaps', 'acknowledge', topic, '--note', '  ')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--note: say in 1 to 1000 characters'),
  });
  expect(await visitor.cli('gaps', 'acknowledge', 'reviews.decided.v1', '--note', 'resent')).toMatchObject({
    code: 1,
    err: expect.stringContaining(`there is no open gap on reviews.decided.v1; open are gaps on ${topic}`),
  });
  expect(servicesOf(await gaps())).toEqual(readers);

  expect(await visitor.cli('gaps', 'acknowledge', topic, '--service', 'orchestrator', '--note', 'seen')).toMatchObject({
    code: 0,
  });
  expect(servicesOf(await gaps())).toEqual(['audit-recorder', 'console']);
  const answer = await visitor.cli('gaps', 'acknowledge', topic, '--note', 'a tool deleted it; nothing was unread');
  expect(answer).toMatchObject({ code: 0, out: expect.stringContaining('acknowledged by') });
  expect(await gaps()).toEqual([]);
  expect(await visitor.cli('status')).toMatchObject({ code: 0 });
  expect(await violations()).toEqual([]);
  expect(await gaps('list', '--all', '--service', 'console')).toContainEqual(
    expect.objectContaining({
      topic,
      acknowledged: expect.objectContaining({ note: 'a tool deleted it; nothing was unread', by: expect.any(String) }),
    }),
  );

  // It goes on, and the record holds for both topics.
  await visitor.publish('website', compare());
  await visitor.until('the play to begin', () => visitor.eventsOf('TaskAssigned').length > 0);
  expect(await visitor.cli('verify')).toMatchObject({ code: 0 });
});
