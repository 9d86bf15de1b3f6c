import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SignalData, type SignalType, services, type Topic, topology } from '@countersign/contracts';
import type { KafkaMessage } from '@countersign/kafka';
import type { Signal, Source } from '@countersign/sample';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shared, type Visitor, visit } from './installation.js';
import { ago, signal } from './signals.js';

let visitor: Visitor;
beforeAll(async () => {
  visitor = await visit(await shared());
});
afterAll(() => visitor?.leave());

/** Begins every planted value: letters and digits only, so that no encoding of text changes it. */
const marker = `pii${randomUUID().replaceAll('-', '').slice(0, 12)}`;
const account = `quiet-${randomUUID().slice(0, 8)}`;
const day = 24 * 60 * 60_000;

/** Three people, each value about them unlike any other. */
const someone = (n: string) => ({
  ref: `crm:${marker}ref${n}`,
  email: `${marker}mail${n}@${marker}host.example`,
  person: { firstName: `${marker}first${n}`, lastName: `${marker}last${n}`, phone: `+49 ${marker}phone${n}` },
});
const [a, b, c] = [someone('a'), someone('b'), someone('c')];
const people = [a, b, c];

/** Whom a signal is about, and all that its contract lets an upstream say of them. */
type SignalInput<T extends SignalType> = Omit<SignalData<T>, 'account' | 'contact'> & {
  readonly account?: { readonly id: string };
  readonly contact?: { readonly ref?: string; readonly email?: string };
};
const signalOf = <T extends SignalType>(source: Source, type: T, data: SignalInput<T>, time?: string): Signal =>
  signal(source, type, data as unknown as Signal<T>['data'], time) as Signal;

/** The marker as text, in any case, as hexadecimal, and as base64 at each of the three places it may begin at. */
const forms: readonly string[] = [
  marker,
  Buffer.from(marker).toString('hex'),
  ...[0, 1, 2].map((shift) =>
    Buffer.from(`${' '.repeat(shift)}${marker}`)
      .toString('base64url')
      // What the neighbours on both sides have a part in is left out.
      .slice(shift === 0 ? 0 : shift + 1, -2),
  ),
];
const shows = (text: string): boolean =>
  text.toLowerCase().includes(marker) || forms.some((form) => text.includes(form));

/** Everything that a topic holds: key, headers and value of each record. */
async function contentOf(topics: readonly Topic[], principal: string): Promise<Map<string, string[]>> {
  const kafka = visitor.kafka(principal);
  const admin = kafka.admin();
  await admin.connect();
  const left = new Map<string, bigint>();
  for (const { name } of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(name))
      if (low !== high) left.set(`${name}/${partition}`, BigInt(high));
  }
  await admin.disconnect();
  const found = new Map<string, string[]>(topics.map(({ name }) => [name, []]));
  const consumer = kafka.consumer({ groupId: `${principal}.flows-${randomUUID()}`, maxWaitTimeInMs: 100 });
  consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, lastOffset } }) => {
    const place = `${topic}/${partition}`;
    if (BigInt(lastOffset) + 1n >= (left.get(place) ?? 0n)) left.delete(place);
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...found.keys()], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        for (const message of batch.messages) {
          found.get(batch.topic)?.push(textOf(message));
          resolveOffset(message.offset);
        }
      },
    });
    await visitor.until('the topics to be read to their ends', () => left.size === 0);
  } finally {
    await consumer.disconnect();
  }
  return found;
}

const textOf = ({ key, headers, value }: KafkaMessage): string =>
  [key, ...Object.entries(headers ?? {}).flat(2), value].map(String).join('\n');

/** Every table of a program's schema in which some row shows the marker, as `schema.table`. */
async function tablesThatShow(): Promise<{ searched: number; found: string[] }> {
  const client = new pg.Client({ connectionString: visitor.superuserUrl });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ schema: string; name: string }>(
      `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
       WHERE table_schema = ANY($1) AND table_type = 'BASE TABLE' ORDER BY 1, 2`,
      [[...services, 'sandbox-systems'].map((program) => program.replaceAll('-', '_'))],
    );
    const found: string[] = [];
    for (const { schema, name } of tables) {
      // A row as text: every column, documents and arrays as they are, bytes in hexadecimal.
      const { rows } = await client.query(
        `SELECT FROM ${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)} AS kept
         WHERE kept::text ILIKE $1 OR kept::text LIKE ANY($2) LIMIT 1`,
        [`%${marker}%`, [...forms, ...forms.map((form) => Buffer.from(form).toString('hex'))].map((f) => `%${f}%`)],
      );
      if (rows.length > 0) found.push(`${schema}.${name}`);
    }
    return { searched: tables.length, found };
  } finally {
    await client.end();
  }
}

/** The log files of the services, of the broker and of the database. */
const logs = (): { file: string; text: string }[] =>
  [
    ...readdirSync(join(visitor.home, 'logs')).map((name) => join('logs', name)),
    'kafka/broker.log',
    'postgres/postgres.log',
  ].map((file) => ({ file, text: readFileSync(join(visitor.home, file), 'utf8') }));

test('a person is found in no topic, table or log but where their messages come in and go out', async () => {
  const known: Signal[] = [
    signalOf('crm', 'AccountUpserted', { account: { id: account }, name: account, tier: 1 }, ago(2 * day)),
    ...people.map(({ ref, email, person }) =>
      signalOf(
        'crm',
        'ContactUpserted',
        {
          account: { id: account },
          contact: { ref, email },
          seniority: 'manager',
          consents: [{ purpose: 'sales', channel: 'email', status: 'granted' }],
          person,
        },
        ago(2 * day),
      ),
    ),
  ];
  const accepted = await visitor.accepted('crm', known);
  // A person with the right and a purpose is told the name, through Kafka: what was sealed for them is searched below as well.
  const contactId = accepted.find(({ signalId }) => signalId === known[1]?.id)?.contactId as string;
  const revealing = () =>
    visitor.cli(
      ...['people', 'reveal', contactId, '--field', 'name', '--field', 'email', '--field', 'phone'],
      ...['--purpose', 'access-request', '--note', 'request 4711'],
    );
  const revealed = await visitor.until('the console to know the person', async () => {
    const answer = await revealing();
    return answer.code === 0 && answer;
  });
  expect(revealed.out).toContain(`${a.person.firstName} ${a.person.lastName}`);
  expect(revealed.out).toContain(a.email);
  expect(revealed.out).toContain(a.person.phone);
  const revealId = /countersign show (\S+)/.exec(revealed.out)?.[1] as string;
  const submitted: SignalInput<'FormSubmitted'> = {
    account: { id: account },
    contact: { email: a.email },
    formId: 'contact-us',
    person: { ...b.person, phone: `0${marker}` },
    message: `Call me: ${marker}message, or write to ${a.email}`,
  };
  const form = signalOf('website', 'FormSubmitted', submitted);
  const page = signalOf('website', 'PageViewed', {
    contact: { ref: a.ref },
    url: `https://${marker}user@www.example.com/thanks?email=${b.email}#${marker}fragment`,
    title: `Thanks, ${c.email}`,
  });
  // Known by the reference, by the address in another spelling, and by both.
  const compared = [{ ref: a.ref }, { email: b.email.toUpperCase() }, { ref: c.ref, email: c.email }].map((contact) =>
    signalOf('website', 'ContentEngaged', {
      account: { id: account },
      contact,
      contentId: 'comparison-guide',
      topic: 'comparison',
    }),
  );
  await visitor.accepted('website', [form, page, ...compared]);

  // What is turned away says why, and not of whom.
  const turnedAway = [
    form,
    signalOf('website', 'FormSubmitted', { ...submitted, message: `${marker}ahead` }, ago(-day)),
    signalOf('website', 'PageViewed', { contact: { ref: b.ref, email: c.email }, url: 'https://www.example.com/' }),
  ];
  await visitor.publish('website', turnedAway);
  const codes = () =>
    turnedAway.flatMap(
      ({ id }) => visitor.eventsOf('SignalRejected', (r) => r.signalId === id)[0]?.reasons[0]?.code ?? [],
    );
  await visitor.until('three rejections', () => codes().length === 3);
  expect(codes().sort()).toEqual(['duplicate', 'future', 'identity-conflict']);
  const refused = await fetch(`${visitor.run.http['signal-ingestion']}/v1/signals`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${visitor.secrets.apiKeys.website}`,
      'content-type': 'application/cloudevents+json',
    },
    body: JSON.stringify({ ...form, id: randomUUID(), data: { ...submitted, contact: { email: `${marker}@` } } }),
  });
  expect(refused.status).toBe(400);
  expect(shows(await refused.text())).toBe(false);

  const approved = await visitor.until('an approved message', () =>
    visitor.eventsOf('ActionApproved', (x) => x.action.accountId === account && x.action.kind === 'email.send').at(0),
  );
  await visitor.until('the message to be sent', () =>
    visitor.eventsOf('ActionSettled', (s) => s.permitId === approved.permitId && s.outcome === 'executed').at(0),
  );
  await visitor.until('the record to hold it', async () => (await visitor.cli('show', approved.permitId)).code === 0);

  const story = await visitor.until('the record to hold the reveal', async () => {
    const shown = await visitor.cli('show', revealId);
    return shown.out.includes('was sealed to whoever asked') && shown;
  });
  expect(story.out).toContain('noting “request 4711”');
  expect(shows(story.out)).toBe(false);

  // The reader of everything reads all but what it writes itself.
  const own = 'record.checkpoints.v1';
  const topics = topology();
  const content = new Map([
    ...(await contentOf(
      topics.filter(({ name }) => name !== own),
      'audit-recorder',
    )),
    ...(await contentOf(
      topics.filter(({ name }) => name === own),
      'console',
    )),
  ]);
  expect([...content.keys()].sort()).toEqual(topics.map(({ name }) => name).sort());
  expect(content.get('contact-points.v1')?.length).toBeGreaterThan(2);
  for (const topic of ['requested', 'answered', 'sealed'])
    expect(content.get(`reveals.${topic}.v1`)?.some((record) => record.includes(revealId))).toBe(true);
  expect([...content].flatMap(([topic, records]) => (records.some(shows) ? [topic] : [])).sort()).toEqual([
    'signals.inbound.crm.v1',
    'signals.inbound.website.v1',
  ]);

  const { searched, found } = await tablesThatShow();
  expect(searched).toBeGreaterThan(services.length);
  // What a provider of e-mail has: here it is a table of the sandbox.
  expect(found).toEqual(['sandbox_systems.messages']);

  const logFiles = logs();
  expect(logFiles.map(({ file }) => file)).toEqual(
    expect.arrayContaining([...services, 'sandbox-systems'].map((name) => join('logs', `${name}.log`))),
  );
  expect(logFiles.filter(({ text }) => shows(text)).map(({ file }) => file)).toEqual([]);
});
