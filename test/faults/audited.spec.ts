import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ActionApproved,
  highestVersionAt,
  type Policy,
  policyDigests,
  type Service,
  services,
  topicConfig,
  topicNamed,
  topology,
} from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import { makeTopicAgain } from '@countersign/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Visitor, visit } from '../flows/installation.js';
import { company, signal } from '../flows/signals.js';
import { type Started, start } from '../flows/started.js';
import { type Intruder, intrude } from './intruder.js';
import { type Plant, plants } from './plants.js';

/*
 * What the audit says of a whole system: nothing where all is well; a gap where records were lost; and every violation that it claims
 * to find, each planted by somebody who has every login and the permits' key.
 */

interface Violation {
  readonly invariant: string;
  readonly ids: readonly string[];
  readonly detail: string;
}
interface Audit {
  readonly code: number | null;
  readonly invariants: readonly { readonly invariant: string; readonly checked: number; readonly note?: string }[];
  readonly violations: readonly Violation[];
  readonly waiting: readonly object[];
}

let started: Started;
let visitor: Visitor;
let client: pg.Client;
let admin: kafkajs.Admin;
let broker: kafkajs.Kafka;
let intruder: Intruder;
/** What ran while all was well. */
let executed: ActionApproved[] = [];

beforeAll(async () => {
  started = await start();
  visitor = await visit({ home: started.home, ...started.running });
  client = new pg.Client({ connectionString: visitor.superuserUrl });
  await client.connect();
  const { bootstrap, admin: login } = started.running.broker ?? {
    bootstrap: '',
    admin: { username: '', password: '' },
  };
  broker = new kafkajs.Kafka({
    brokers: [bootstrap],
    sasl: { mechanism: 'scram-sha-256', ...login },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  admin = broker.admin();
  await admin.connect();
  intruder = intrude(visitor);
});
afterAll(async () => {
  await intruder?.leave();
  await admin?.disconnect();
  await client?.end();
  await visitor?.leave();
  await started?.stop();
});

const sql = async (text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await client.query(text, [...values])).rows;
const audit = async (...words: string[]): Promise<Audit> => {
  const { code, out, err } = await visitor.cli('audit', 'invariants', '--json', ...words);
  if (out === '') throw new Error(`status ${code}: ${err}`);
  return { code, ...(JSON.parse(out) as Omit<Audit, 'code'>) };
};
/** Once nothing is under way any more. */
const sound = async (): Promise<void> => {
  let last: Audit | undefined;
  await visitor.until(
    () => `nothing to wait: ${JSON.stringify(last?.waiting)}`,
    async () => {
      last = await audit();
      return last.violations.length > 0 || last.waiting.length === 0;
    },
  );
  expect(last?.violations).toEqual([]);
  expect(last?.code).toBe(0);
  // Everything could be looked at.
  expect(last?.invariants.filter(({ note }) => note !== undefined)).toEqual([]);
};
/** Three people of each company compare: each is enrolled and written to, and their owner has a task. */
async function surges(count: number): Promise<ActionApproved[]> {
  const companies = Array.from({ length: count }, () => company(`audited-${randomUUID().slice(0, 8)}`));
  await visitor.accepted(
    'crm',
    companies.flatMap((firm) => firm.known()),
  );
  await visitor.accepted(
    'website',
    companies.flatMap((firm) => firm.compare()),
  );
  const ids = new Set(companies.map(({ id }) => id));
  const approved = () => visitor.eventsOf('ActionApproved', (a) => ids.has(a.action.accountId ?? ''));
  const executed = () =>
    approved().filter(({ permitId }) =>
      visitor.eventsOf('ActionSettled', (s) => s.permitId === permitId && s.outcome === 'executed').at(0),
    );
  await visitor.until(
    () => `seven actions of each company to be executed, of ${approved().length} approved`,
    () => executed().length === 7 * count,
  );
  return executed();
}
const checksOf = async (name: Service): Promise<{ readonly gaps?: readonly Gap[] }> => {
  const response = await fetch(`${visitor.run.http[name]}/health`, {
    headers: { authorization: `Bearer ${visitor.secrets.readToken}` },
  });
  return ((await response.json()) as { checks: { gaps?: readonly Gap[] } }).checks;
};
interface Gap {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number | null;
  readonly reason: string;
}
const signalTo = (name: Service, what: NodeJS.Signals): void => {
  process.kill(started.running.services.get(name)?.pid ?? 0, what);
};
/** What a gap's reader, its log and the audit say of it; then a person acknowledges it, and all is well. */
async function expectGap(gaps: Readonly<Record<string, readonly string[]>>, topic: string, log: RegExp): Promise<void> {
  const { code, violations } = await audit();
  const expected = Object.entries(gaps).flatMap(([service, places]) => places.map((place) => `${service} ${place}`));
  expect(
    violations
      .map(({ invariant, ids, detail }) => `${invariant} ${/before (\S+) read them/.exec(detail)?.[1]} ${ids}`)
      .sort(),
  ).toEqual(expected.map((gap) => `nothing-lost ${gap}`).sort());
  expect(code).not.toBe(0);
  for (const service of Object.keys(gaps) as Service[]) {
    expect(started.running.services.get(service)?.lastLines(1_000).join('\n')).toMatch(log);
    await sql(
      `UPDATE "${service.replaceAll('-', '_')}".gaps SET acknowledged_at = now(), acknowledged_by = 'lea', note = 'a test'
       WHERE topic = $1 AND acknowledged_at IS NULL`,
      [topic],
    );
  }
  await sound();
}

test('of a system that works the audit finds nothing wrong', async () => {
  executed = await surges(3);
  await sound();
});

test('a topic that is deleted and made again while services run: what comes after it has outcomes and leaves, and the audit tells the gap', async () => {
  const topic = 'signals.inbound.website.v1';
  const made = topicNamed(topic, topology());
  await makeTopicAgain(admin, { name: topic, partitions: made.partitions, config: topicConfig(made) });

  const { id, known, compare } = company(`again-${randomUUID().slice(0, 8)}`, 3);
  await visitor.accepted('crm', known());
  // Whatever is refused over HTTP meanwhile is sent again, as an upstream does.
  const signals = compare();
  await visitor.until('signals to be taken over HTTP', () =>
    visitor.publish('website', signals).then(
      () => true,
      () => false,
    ),
  );
  await visitor.until(
    'each signal to be accepted',
    () =>
      visitor.eventsOf('SignalAccepted', (a) => a.accountId === id && a.source === '/sources/website').length ===
      signals.length,
  );
  const readers = ['signal-ingestion', 'audit-recorder'] as const;
  const gapsOf = async (name: Service): Promise<readonly string[]> =>
    ((await checksOf(name)).gaps ?? []).map((gap) => `${gap.reason} ${gap.topic}/${gap.partition} ${gap.to}`);
  for (const name of readers)
    await visitor.until(`${name} to tell it`, async () => (await gapsOf(name)).length > 0 || undefined);
  const gaps: Record<string, string[]> = {};
  for (const name of readers) {
    const found = await gapsOf(name);
    expect(found.filter((gap) => !gap.startsWith(`topic-made-again ${topic}/`) || !gap.endsWith(' null'))).toEqual([]);
    gaps[name] = found.map((gap) => gap.split(' ')[1] ?? '');
  }
  await visitor.until('a leaf of each', async () => {
    const [row] = await sql('SELECT count(*)::int AS n FROM audit_recorder.leaves WHERE topic = $1 AND id = ANY($2)', [
      topic,
      signals.map((s) => s.id),
    ]);
    return Number(row?.n) >= signals.length;
  });
  await expectGap(gaps, topic, new RegExp(`${topic} was deleted and made again`));
});

test('retention that deletes what frozen services have not read: health, log and audit tell the gap, and what comes after it has outcomes and leaves', async () => {
  const topic = 'signals.inbound.upstream.v1';
  const readers = ['signal-ingestion', 'audit-recorder'] as const;
  const producer = visitor.kafka('upstream').producer();
  await producer.connect();
  const send = async (): Promise<{ readonly id: string; readonly partition: number; readonly offset: number }> => {
    const viewed = signal('upstream', 'PageViewed', { url: 'https://www.example.com/' });
    const headers = { 'content-type': 'application/cloudevents+json' };
    const messages = [{ key: 'one partition', value: JSON.stringify(viewed), headers }];
    const [sent] = await producer.send({ topic, acks: -1, messages });
    return { id: viewed.id, partition: sent?.partition ?? -1, offset: Number(sent?.baseOffset) };
  };
  const outcome = (id: string): number =>
    visitor.eventsOf('SignalAccepted', (a) => a.signalId === id).length +
    visitor.eventsOf('SignalRejected', (r) => r.signalId === id).length;
  const leaves = async (ids: readonly string[]): Promise<number> => {
    const [row] = await sql('SELECT count(*)::int AS n FROM audit_recorder.leaves WHERE id = ANY($1)', [ids]);
    return Number(row?.n);
  };
  const read = await send();
  await visitor.until('it to be read', async () => outcome(read.id) === 1 && (await leaves([read.id])) === 1);

  for (const name of readers) signalTo(name, 'SIGSTOP');
  // A fetch that was under way has its answer with the first of them: that one may be read all the same.
  const first = await send();
  await sleep(1_000);
  const lost = [await send(), await send(), await send()];
  const end = (lost.at(-1)?.offset ?? 0) + 1;
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: first.partition, offset: String(end) }] });
  for (const name of readers) signalTo(name, 'SIGCONT');

  const place = `${topic}/${first.partition}`;
  for (const name of readers) {
    const gap = await visitor.until(`${name} to tell the gap`, async () => (await checksOf(name)).gaps?.at(0));
    expect(gap).toMatchObject({ topic, partition: first.partition, to: end, reason: 'records-deleted' });
    expect([first.offset, first.offset + 1]).toContain(gap.from);
  }
  const after = await send();
  await visitor.until('what comes after it to be read', async () => {
    return outcome(after.id) === 1 && (await leaves([after.id])) === 1;
  });
  expect(lost.map(({ id }) => outcome(id))).toEqual([0, 0, 0]);
  await producer.disconnect();
  const gaps = Object.fromEntries(readers.map((name) => [name, [place]]));
  await expectGap(gaps, topic, /the records from offset \d+ to \d+ were deleted before they were read/);
});

/** A company of which everything but a task for its owner runs; returns the escalation of that task. */
async function askedAbout(name: string): Promise<{ readonly proposalId: string; readonly account: string }> {
  const firm = company(`${name}-${randomUUID().slice(0, 8)}`);
  await visitor.accepted('crm', firm.known());
  await visitor.accepted('website', firm.compare());
  const { proposalId } = await visitor.until(`the task of ${firm.id} to wait for a person`, () =>
    visitor.eventsOf('ActionEscalated', (e) => e.action.accountId === firm.id).at(0),
  );
  return { proposalId, account: firm.id };
}
const executedOf = (account: string, kind: string): ActionApproved | undefined =>
  visitor
    .eventsOf('ActionApproved', (a) => a.action.accountId === account && a.action.kind === kind)
    .find(({ permitId }) =>
      visitor.eventsOf('ActionSettled', (s) => s.permitId === permitId && s.outcome === 'executed').at(0),
    );
/** What the audit says of the policy and of verdicts that are judged again. */
const judgingViolations = async (): Promise<readonly Violation[]> =>
  (await audit('--judge', 'all', '--tolerance', '1')).violations.filter(({ invariant }) =>
    ['policies', 'judged'].includes(invariant),
  );

test('a policy that is published the regular way governs, and verdicts under it are the same when they are judged again', async () => {
  const charter = join(started.home, 'config/charters/sequencing-agent.yaml');
  writeFileSync(charter, readFileSync(charter, 'utf8').replace('crm.create_task: auto', 'crm.create_task: suggest'));
  const published = await visitor.cli('policy', 'publish');
  expect(published.code, published.err).toBe(0);
  await visitor.until('it to be read', () => visitor.eventsOf('PolicyPublished').length === 2);
  await sleep(1_000);
  const answers = [
    ['approve', await askedAbout('suggest'), []],
    ['edit', await askedAbout('edited'), ['--set', 'title=Another title']],
  ] as const;
  for (const [word, { proposalId, account }, more] of answers) {
    const answer = await visitor.cli('review', word, proposalId, '--yes', ...more);
    expect(answer.code, answer.err).toBe(0);
    await visitor.until(`the task of ${account} to run`, () => executedOf(account, 'crm.create_task'));
  }
  await sound();
  const { invariants } = await audit('--judge', 'all');
  const again = invariants.find(({ invariant }) => invariant === 'judged');
  expect(again?.checked).toBeGreaterThan(20);
  expect(invariants.find(({ invariant }) => invariant === 'policies')?.checked).toBeGreaterThan(again?.checked ?? 0);
});

/** The bundle that lets tasks run without a person, as somebody who can write to the tables makes one, or as it was before. */
const unsupervised: Readonly<Record<string, () => Policy>> = {
  'made up': () => {
    const [, policy] = visitor.eventsOf('PolicyPublished') as [Policy, Policy];
    const charters = policy.content.charters.map((c) =>
      c.agent === 'sequencing-agent' ? { ...c, kinds: { ...c.kinds, 'crm.create_task': 'auto' as const } } : c,
    );
    const content = { ...policy.content, charters };
    return { ...policy, content, ...policyDigests(content) };
  },
  'one that was replaced': () => visitor.eventsOf('PolicyPublished').at(0) as Policy,
};

test.each([
  ['made up', /judged under a version 2 of the policy that was never published/],
  ['one that was replaced', /judged at \S+ under version 1 of the policy, which version 2 had replaced at/],
])(
  'a policy, %s, that a database administrator puts into the tables of validator and executor lets a kind that is only suggested run, and the audit names it, there and afterwards',
  async (which, detail) => {
    const policy = visitor.eventsOf('PolicyPublished').at(-1) as Policy;
    const put = (bundle: Policy): Promise<unknown> =>
      Promise.all(
        ['guardrail_validator', 'action_executor'].map((schema) =>
          sql(`UPDATE ${schema}.state_rows SET data = $1 WHERE topic = 'policies.v1' AND key = 'main'`, [bundle]),
        ),
      );
    const before = await judgingViolations();
    await put(unsupervised[which]?.() as Policy);
    const firm = company(`unseen-${randomUUID().slice(0, 8)}`);
    await visitor.accepted('crm', firm.known());
    await visitor.accepted('website', firm.compare());
    const ran = await visitor.until('the task to run without a person', () => executedOf(firm.id, 'crm.create_task'));
    const violations = (await audit()).violations.filter(({ ids }) => ids.includes('policies.v1'));
    for (const holder of ['guardrail-validator', 'action-executor'])
      expect(violations.filter(({ ids }) => ids.includes(holder)).length).toBeGreaterThan(0);
    await put(policy);
    const afterwards = (await judgingViolations()).filter(
      (violation) => !before.some(({ ids }) => ids[0] === violation.ids[0]),
    );
    expect(afterwards).toContainEqual({
      invariant: 'policies',
      ids: [ran.permitId, ran.proposalId],
      detail: expect.stringMatching(detail),
    });
    // All that was judged meanwhile, and nothing else.
    const meanwhile = visitor.eventsOf('ActionApproved', (a) => a.action.accountId === firm.id);
    expect(afterwards.map(({ ids }) => ids[0]).sort()).toEqual(meanwhile.map(({ permitId }) => permitId).sort());
  },
);

test('a number that is changed in the tables under the digest of what was published lets nothing run, and the audit names it', async () => {
  const policy = visitor.eventsOf('PolicyPublished').at(-1) as Policy;
  const before = (await judgingViolations()).length;
  const alter = (by: string): Promise<unknown> =>
    sql(`UPDATE guardrail_validator.state_rows SET data = ${by} WHERE topic = 'policies.v1' AND key = 'main'`);
  await alter(`jsonb_set(data, '{content,rules,contactFrequency,touches}', '9')`);
  const firm = company(`altered-${randomUUID().slice(0, 8)}`);
  await visitor.accepted('crm', firm.known());
  await visitor.accepted('website', firm.compare());
  await visitor.until('what was proposed to be refused', () =>
    visitor.eventsOf('ActionRefused', (r) => r.action?.accountId === firm.id).at(0),
  );
  expect(visitor.eventsOf('ActionApproved', (a) => a.action.accountId === firm.id)).toEqual([]);
  const violations = (await judgingViolations()).slice(before);
  expect(violations).toEqual([
    {
      invariant: 'policies',
      ids: ['policies.v1', 'guardrail-validator'],
      detail: 'guardrail-validator holds a policy with another content than was published',
    },
  ]);
  await alter(`jsonb_set(data, '{content}', '${JSON.stringify(policy.content).replaceAll("'", "''")}')`);
  expect(await judgingViolations()).toHaveLength(before);
});

test('whoever writes as the console frees nobody: the stop after it is confirmed and binds, and the audit names what was written', async () => {
  const scope = 'agent:sequencing-agent';
  const running = (version: number) =>
    intruder.write('controls.v1', 'ControlChanged', {
      ...{ scope, version, state: 'running', by: 'somebody', reason: 'foreign', changedAt: '2999-01-01T00:00:00.000Z' },
    });
  const refusedBy = async (): Promise<readonly string[]> => {
    const { id, known, compare } = company(`freed-${randomUUID().slice(0, 8)}`);
    await visitor.accepted('crm', known());
    await visitor.accepted('website', compare());
    const refused = await visitor.until('a refusal of each proposal', () => {
      const all = visitor.eventsOf('ActionRefused', (r) => r.action?.accountId === id);
      return all.length >= 3 ? all : undefined;
    });
    expect(
      visitor.eventsOf('ActionApproved', (a) => a.action.accountId === id && a.agent === 'sequencing-agent'),
    ).toEqual([]);
    return refused.flatMap(({ verdict }) => verdict.reasons.filter((r) => r.outcome === 'refuse').map((r) => r.rule));
  };
  // Of a key that the console has never said anything of: no version is so high that the next stop is void.
  const foreign = [await running(Number.MAX_SAFE_INTEGER), await running(highestVersionAt(Date.now()))];
  const stop = await visitor.cli('stop', '--agent', 'sequencing-agent', '--reason', 'they write too much');
  expect(stop).toMatchObject({
    code: 0,
    out: expect.stringContaining('Confirmed by guardrail-validator, action-executor'),
  });
  expect(new Set(await refusedBy())).toEqual(new Set(['kill-control']));

  // And nobody is freed by one above the stop.
  const above = highestVersionAt(Date.now());
  foreign.push(await running(above));
  const stands = async (): Promise<boolean> => {
    const [row] = await sql(
      `SELECT count(DISTINCT (version, data))::int AS contents, count(*)::int AS n, bool_and(data->>'state' = 'stopped') AS stopped
       FROM (SELECT version, data FROM console.own_state WHERE topic = 'controls.v1' AND key = $1 AND version > $2
             UNION ALL SELECT version, data FROM guardrail_validator.state_rows WHERE topic = 'controls.v1' AND key = $1
             UNION ALL SELECT version, data FROM action_executor.state_rows WHERE topic = 'controls.v1' AND key = $1) x`,
      [scope, above],
    );
    return row?.n === 3 && row.contents === 1 && row.stopped === true;
  };
  await visitor.until('the stop to be said again above it', stands);
  expect(new Set(await refusedBy())).toEqual(new Set(['kill-control']));

  // What nobody can say yet is said to be so, and becomes true without another word.
  signalTo('action-executor', 'SIGSTOP');
  const resumed = await visitor.cli('resume', '--agent', 'sequencing-agent', '--reason', 'the text is right', '--json');
  expect([resumed.code, JSON.parse(resumed.out)]).toMatchObject([
    1,
    { confirmed: false, confirmedBy: ['guardrail-validator'], notConfirmedBy: ['action-executor'] },
  ]);
  signalTo('action-executor', 'SIGCONT');
  await visitor.until('it to be confirmed', async () => {
    const { controls } = await visitor.answer<{ controls: { scope: string; confirmed: boolean }[] }>(
      'controls',
      '--lifted',
      '--json',
    );
    return controls.find((c) => c.scope === scope)?.confirmed;
  });

  // The same of every other state: what its writer has stands, above whatever was written.
  for (const [topic, type] of Object.entries(states)) {
    const { writer } = topicNamed(topic, topology());
    const schema = `"${writer.replaceAll('-', '_')}"`;
    const rowOf = async (key?: string) => {
      const [row] = await sql(
        `SELECT key, version::text, data - 'version' - 'changedAt' AS detail, value FROM ${schema}.own_state
         WHERE topic = $1 AND value IS NOT NULL AND ($2::text IS NULL OR key = $2) ORDER BY key LIMIT 1`,
        [topic, key ?? null],
      );
      return row as { key: string; version: string; detail: object; value: string };
    };
    const before = await rowOf();
    const version = highestVersionAt(Date.now());
    const data = { ...(JSON.parse(before.value) as object), version, changedAt: '2999-01-01T00:00:00.000Z' };
    foreign.push(await intruder.write(topic, type, data as never, undefined, before.key));
    await visitor.until(`${before.key} of ${topic} to be said again`, async () => {
      const { version: now, detail } = await rowOf(before.key);
      expect(detail).toEqual(before.detail);
      return Number(now) === version + 1;
    });
  }
  await visitor.until('a leaf of each', async () => {
    const [row] = await sql(
      `SELECT count(*)::int AS n FROM audit_recorder.leaves WHERE topic || '/' || partition || '/' || "offset" = ANY($1)`,
      [foreign],
    );
    return row?.n === foreign.length;
  });
  await sleep(2_500);
  const { violations } = await audit('--grace', '2');
  const named = violations.filter(({ invariant }) => invariant === 'binding').flatMap(({ ids }) => ids);
  expect(named.sort()).toEqual([...foreign].sort());
  for (const writer of ['console', 'signal-ingestion'] as const)
    expect(started.running.services.get(writer)?.lastLines(1_000).join('\n')).toContain(
      'somebody else wrote a version above',
    );
});

const states = {
  'consents.v1': 'ConsentsChanged',
  'contact-points.v1': 'ContactPointsChanged',
  'profiles.v1': 'ProfileChanged',
  'policies.v1': 'PolicyPublished',
} as const;

const found = new Map<Plant, { readonly id: string }>();
let report: Audit | undefined;

/** What a service would do about a plant is not the audit's business: from here on they are gone, or take nothing in. */
async function plantAll(): Promise<void> {
  const messages = executed.filter((a) => a.action.kind === 'email.send');
  const task = executed.find((a) => a.action.kind === 'crm.create_task') as ActionApproved;
  const needed: readonly Service[] = ['action-executor', 'audit-recorder'];
  await refuseInserts('action_executor.inbox');
  const others = services.filter((name) => !needed.includes(name));
  await Promise.all(others.map((name) => started.running.services.get(name)?.kill()));

  since = new Date().toISOString();
  const later: (() => Promise<void>)[] = [];
  const message = (): ActionApproved => {
    const next = messages.pop();
    if (!next) throw new Error('no message is left for a plant');
    return next;
  };
  for (const plant of plants) {
    const planted = await plant.plant({ intruder, sql, message, task });
    found.set(plant, typeof planted === 'string' ? { id: planted } : planted);
    if (typeof planted !== 'string') later.push(planted.afterwards);
  }
  // Longer than the tolerance.
  await sleep(1_500);
  for (const afterwards of later) await afterwards();
}

/** Inserts into a table fail as they do where a lock is held: its service waits and tries again. */
async function refuseInserts(table: string, when = 'true'): Promise<void> {
  await sql(`CREATE OR REPLACE FUNCTION public.refuse_insert() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = 'lock_not_available'; END $$`);
  await sql(
    `CREATE TRIGGER refuse_insert BEFORE INSERT ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION public.refuse_insert()`,
  );
}

/** How many of these places have a leaf; a topic that was made again has had some of them before. */
const leavesAt = async (places: readonly string[]): Promise<number> => {
  const [row] = await sql(
    `SELECT count(DISTINCT place)::int AS n FROM unnest($1::text[]) AS p(place)
     JOIN audit_recorder.leaves ON topic || '/' || partition || '/' || "offset" = place AND at >= $2`,
    [places, since],
  );
  return Number(row?.n);
};

/** When the first plant was made. */
let since = '';
/** It is on its topic and comes on no record. */
let unrecorded = '';

test('the audit ends with a status of its own where violations are planted', async () => {
  // Of what other tests wrote before, the leaves are older than the plants.
  const before = intruder.places.length;
  await plantAll();
  const places = intruder.places.slice(before);
  await visitor.until(
    () => `a leaf of each of ${places.length} plants: ${started.running.services.get('audit-recorder')?.lastLines(3)}`,
    async () => (await leavesAt(places)) === places.length,
  );
  await refuseInserts('audit_recorder.checkpoints');
  const unsigned = await intruder.writeRaw('signals.inbound.crm.v1', 'unsigned');
  await visitor.until('its leaf', async () => (await leavesAt([unsigned])) === 1);
  await refuseInserts('audit_recorder.leaves', `NEW.topic = 'signals.inbound.ads.v1'`);
  unrecorded = await intruder.writeRaw('signals.inbound.ads.v1', 'unrecorded');
  // Longer than the grace.
  await sleep(2_500);
  report = await audit('--grace', '1', '--tolerance', '1', '--judge', 'all');
  expect(report.code).not.toBe(0);
  // Everything could be looked at; what was judged under a policy that nobody published is not judged again.
  const notes = report.invariants.filter(({ note }) => note !== undefined);
  expect(notes.map(({ invariant }) => invariant)).toEqual(['judged']);
  expect(notes[0]?.note).toMatch(/\d+ \(its policy is not among those that were published\)/);
});

test.each(plants.map((plant) => [plant.what, plant] as const))('the audit finds %s', (_, plant) => {
  const id = found.get(plant)?.id ?? '';
  const named = (report?.violations ?? []).filter(({ ids }) => id !== '' && ids.includes(id));
  expect(named).toContainEqual(
    expect.objectContaining({ invariant: plant.invariant, detail: expect.stringMatching(plant.detail) }),
  );
});

test('the audit finds a record that has no leaf, and leaves that no checkpoint signs', () => {
  const record = report?.violations.filter(({ invariant }) => invariant === 'record');
  expect(record).toContainEqual({
    invariant: 'record',
    ids: [unrecorded],
    detail: 'it is on the topic and not on the record',
  });
  expect(record).toContainEqual(
    expect.objectContaining({
      ids: [expect.stringMatching(/^leaves \d+ to \d+$/)],
      detail: expect.stringMatching(/^unsigned since/),
    }),
  );
});

test('the audit finds a leaf that was altered', async () => {
  const [leaf] = await sql(
    `SELECT index::int, topic || '/' || partition || '/' || "offset" AS place FROM audit_recorder.leaves
     WHERE topic = 'actions.approved.v1' AND id IS NOT NULL ORDER BY index LIMIT 1`,
  );
  // The superuser goes past what refuses every change. A leaf whose record is gone needs a hole in a topic, which only the broker
  // makes: see tools/audit/src/check.spec.ts.
  await sql('SET session_replication_role = replica');
  await sql(`UPDATE audit_recorder.leaves SET sha256 = decode(repeat('00', 32), 'hex') WHERE index = $1`, [
    leaf?.index,
  ]);
  const { code, violations } = await audit('--grace', '1', '--tolerance', '1');
  expect(code).not.toBe(0);
  const record = violations.filter(({ invariant }) => invariant === 'record');
  const detail = 'the record names other bytes than those on the topic';
  expect(record).toContainEqual({ invariant: 'record', ids: [leaf?.place], detail });
  expect(record).toContainEqual(expect.objectContaining({ detail: expect.stringContaining(`leaf ${leaf?.index}:`) }));
});

test('every invariant of the audit has a plant', () => {
  const planted = new Set([...plants.map(({ invariant }) => invariant), 'record']);
  expect(planted).toEqual(new Set(report?.invariants.map(({ invariant }) => invariant)));
});
