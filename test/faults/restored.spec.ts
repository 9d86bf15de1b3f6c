import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataOf, services, sourceOf, toBinary } from '@countersign/contracts';
import { type Postgres, startPostgres } from '@countersign/local';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Visitor, visit } from '../flows/installation.js';
import { ago, company, signal } from '../flows/signals.js';
import { type Started, start } from '../flows/started.js';

/* Real processes; the whole database is put back from an older copy while they are stopped, as docs/sre.md says. */

const agent = 'sequencing-agent';
const scope = `agent:${agent}`;

let started: Started;
let visitor: Visitor;
let postgres: Postgres | undefined;
let copy = '';

beforeAll(async () => {
  started = await start();
  postgres = started.running.postgres;
  visitor = await visit({ home: started.home, run: started.running.run });
});
afterAll(async () => {
  await visitor?.leave();
  await started?.running.stop();
  await postgres?.stop();
  if (copy) rmSync(copy, { recursive: true, force: true });
  await started?.stop();
});

const sql = async <Row>(text: string): Promise<Row[]> => {
  const client = new pg.Client({ connectionString: started.running.run.database });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
};
/** Stops everything but the broker, does something with the files of the database, and starts again. */
async function stopped(act: (data: string) => void): Promise<void> {
  const { running, home } = started;
  const [row] = await sql<{ data_directory: string }>('SHOW data_directory');
  await Promise.all([...running.services.values()].map((service) => service.stop(25_000)));
  await postgres?.stop();
  act(row?.data_directory ?? '');
  const port = Number(new URL(running.run.database).port);
  postgres = await startPostgres({ dir: join(home, 'postgres'), port });
  await Promise.all(services.map((name) => running.restart(name)));
}
const copyTree = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true });
  execFileSync('cp', ['-a', from, to]);
};

interface Audit {
  readonly violations: readonly { readonly invariant: string; readonly says: string }[];
}
const audited = async (): Promise<string[]> => {
  const { violations } = await visitor.answer<Audit>('audit', 'invariants', '--tolerance', '1', '--grace', '5');
  return violations
    .filter(({ invariant }) => ['binding', 'stops', 'consents'].includes(invariant))
    .map(({ invariant, says }) => `${invariant}: ${says}`);
};
const control = async (state: 'stop' | 'resume'): Promise<void> => {
  expect(await visitor.cli(state, '--agent', agent, '--reason', 'a test')).toMatchObject({ code: 0 });
};
const sent = async (contactId: string): Promise<number> => {
  const { messages } = await visitor.sandbox<{ messages: { contactId: string }[] }>('mailer/messages');
  return messages.filter((m) => m.contactId === contactId).length;
};

test('after a restore what was stopped and withdrawn since the copy holds, a new stop and a new withdrawal bind, and the audit is silent', async () => {
  const gone = company(`gone-${randomUUID().slice(0, 8)}`);
  const going = company(`going-${randomUUID().slice(0, 8)}`);
  const held = company(`held-${randomUUID().slice(0, 8)}`);
  /** The id of each company's first person, who is the second of the signals that make it known. */
  const firsts = new Map<string, string>();
  for (const of of [gone, going, held]) {
    const signals = of.known();
    const accepted = await visitor.accepted('crm', signals);
    firsts.set(of.id, accepted.find((a) => a.signalId === signals[1]?.id)?.contactId ?? '');
  }
  const idOf = (of: typeof gone): string => firsts.get(of.id) ?? '';
  await stopped((data) => {
    copy = `${data}.older`;
    copyTree(data, copy);
  });

  // Since the copy: the agent is stopped and resumed, a consent withdrawn, another one changed twice.
  for (const state of ['stop', 'resume', 'stop', 'resume'] as const) await control(state);
  const unsubscribed = (of: typeof gone) =>
    signal('mailer', 'EmailUnsubscribed', { contact: { ref: of.people[0]?.ref ?? '' } }, ago(0));
  await visitor.accepted('mailer', [unsubscribed(gone)]);
  for (const purpose of ['newsletter', 'service'] as const) {
    const contact = { ref: going.people[0]?.ref ?? '' };
    const changed = { contact, purpose, channel: 'email', status: 'granted' } as const;
    await visitor.accepted('crm', [signal('crm', 'ConsentChanged', changed, ago(0))]);
  }
  const holds = (topic: string, key: string) =>
    sql<{ version: string }>(
      `SELECT version FROM action_executor.state_rows WHERE topic = '${topic}' AND key = '${key}'`,
    );
  await visitor.until(
    'the executor to have read them',
    async () => Number((await holds('consents.v1', idOf(going)))[0]?.version) === 3,
  );

  await stopped((data) => copyTree(copy, data));
  expect(
    await sql(`SELECT version::int, data->>'state' AS state FROM console.own_state WHERE key = '${scope}'`),
  ).toEqual([{ version: 4, state: 'running' }]);

  // A withdrawal and a stop of today, each under a version that nobody has held yet.
  await visitor.accepted('mailer', [unsubscribed(going)]);
  const [withdrawn] = await sql<{ version: number }>(
    `SELECT version::int FROM signal_ingestion.own_state WHERE topic = 'consents.v1' AND key = '${idOf(going)}'`,
  );
  expect(withdrawn).toEqual({ version: 4 });
  await visitor.accepted('website', [...gone.compare(), ...going.compare()]);
  const verdicts = (of: typeof gone) =>
    visitor
      .of('ActionApproved', (a) => a.action.accountId === of.id && a.action.kind === 'email.send')
      .map((a) => String(a.action.payload.contactId));
  await visitor.until('the colleagues to be written to', async () => {
    const colleagues = [gone, going].map((of) => verdicts(of).filter((id) => id !== idOf(of))[0] ?? '');
    const counts = await Promise.all(colleagues.map((id) => (id ? sent(id) : 0)));
    return counts.every((n) => n > 0);
  });
  expect(await Promise.all([sent(idOf(gone)), sent(idOf(going))])).toEqual([0, 0]);

  await control('stop');
  await visitor.until(
    'everybody to have read the stop',
    async () => Number((await holds('controls.v1', scope))[0]?.version) === 5,
  );
  await visitor.accepted('website', held.compare());
  const refused = await visitor.until('the proposals to be refused', () => {
    const of = visitor.of(
      'ActionRefused',
      (r) => r.agent === agent && r.verdict.reasons.some((x) => x.rule === 'kill-control' && x.outcome === 'refuse'),
    );
    return of.length > 0 && of;
  });
  expect(refused.length).toBeGreaterThan(0);
  expect(visitor.of('ActionApproved', (a) => a.action.accountId === held.id)).toEqual([]);
  expect(await audited()).toEqual([]);
});

/** Writes a control as somebody who has the console's login. */
async function plant(data: DataOf<'ControlChanged'>): Promise<void> {
  const producer = visitor.kafka('console').producer();
  await producer.connect();
  const { headers, value } = toBinary({
    id: randomUUID(),
    source: sourceOf('console'),
    type: 'ControlChanged',
    time: data.changedAt,
    data,
  });
  await producer.send({ topic: 'controls.v1', acks: -1, messages: [{ key: data.scope, headers, value }] });
  await producer.disconnect();
}

test('the audit finds on live topics and tables what does not bind: a version below, a version twice, a reader ahead, a writer behind', async () => {
  const console_ = started.running.services.get('console');
  const control = (version: number, reason: string, of: string): DataOf<'ControlChanged'> => {
    return { scope: of, version, state: 'stopped', by: 'somebody', reason, changedAt: new Date().toISOString() };
  };
  await console_?.stop(25_000);
  await plant(control(7, 'first', 'account:below'));
  await sleep(1_500);
  await plant(control(6, 'second', 'account:below'));
  await plant(control(1, 'first', 'account:twice'));
  await plant(control(1, 'second', 'account:twice'));
  await sleep(6_000);
  const wrong = await audited();
  expect(wrong).toContainEqual(expect.stringMatching(/version 6 of account:below.*is below version 7/));
  expect(wrong).toContainEqual(expect.stringMatching(/version 1 of account:twice was given out twice/));
  expect(wrong).toContainEqual(
    expect.stringMatching(/version 7 of account:below is on controls\.v1, and its writer's table has version 0/),
  );
  expect(wrong).toContainEqual(
    expect.stringMatching(
      /guardrail-validator holds version 7 of account:below of controls\.v1, and its writer has version 0/,
    ),
  );

  // The console's next start mends both: the later content, above what anybody holds.
  await started.running.restart('console');
  await visitor.until('the readers to hold what the console says', async () => {
    const rows = await sql<{ key: string; version: number; reason: string }>(
      `SELECT key, version::int, data->>'reason' AS reason FROM guardrail_validator.state_rows WHERE key LIKE 'account:%e' OR key LIKE 'account:%w'`,
    );
    const held = new Map(rows.map(({ key, version, reason }) => [key, `${version} ${reason}`]));
    return held.get('account:below') === '8 second' && held.get('account:twice') === '2 second';
  });
  await sql(`UPDATE guardrail_validator.state_rows SET version = 9 WHERE key = 'account:below'`);
  await sql(`UPDATE action_executor.state_rows SET data = data || '{"state": "running"}' WHERE key = 'account:twice'`);
  const later = await audited();
  expect(later).toContainEqual(
    expect.stringMatching(/guardrail-validator holds version 9 of account:below.*its writer has version 8/),
  );
  expect(later).toContainEqual(
    expect.stringMatching(/action-executor holds another content of version 2 of account:twice/),
  );
});
