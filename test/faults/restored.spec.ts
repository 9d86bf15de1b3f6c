import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataOf, type EventType, services, sourceOf, toBinary } from '@countersign/contracts';
import { type Postgres, startPostgres } from '@countersign/servers';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Visitor, visit } from '../flows/installation.js';
import { ago, company, signal } from '../flows/signals.js';
import { routeFirst, type Started, start } from '../flows/started.js';
import { type Receiver, receiver } from './receiver.js';

/* Real processes; the whole database is put back from an older copy while they are stopped, as docs/sre.md says. */

const agent = 'sequencing-agent';
const scope = `agent:${agent}`;

let started: Started;
let visitor: Visitor;
let postgres: Postgres | undefined;
let copy = '';
/** A connected system whose effects no copy of the database puts back. */
let outside: Receiver;
/** Their tasks go to it: it acts at once, and answers too late for the executor, or when the test lets go. */
const tasked = ['late-before', 'held-at', 'late-since', 'held-since'] as const;

beforeAll(async () => {
  outside = await receiver();
  started = await start(
    { more: { 'action-executor': { CONNECTORS_FILE: outside.connectorsFile, CALL_BACKOFF_MS: '300' } } },
    (config) => {
      const charter = join(config, 'charters/sequencing-agent.yaml');
      writeFileSync(charter, readFileSync(charter, 'utf8').replace('sendsPerHour: 200', 'sendsPerHour: 100000'));
      routeFirst(config, [
        { kinds: ['crm.create_task'], accounts: tasked, executor: 'action-executor', connector: 'webhook' },
      ]);
    },
  );
  postgres = started.running.postgres;
  visitor = await visit({ home: started.home, ...started.running });
});
afterAll(async () => {
  await visitor?.leave();
  await started?.running.stop();
  await postgres?.stop();
  if (copy) rmSync(copy, { recursive: true, force: true });
  await started?.stop();
  await outside?.close();
});

const sql = async <Row>(text: string): Promise<Row[]> => {
  const client = new pg.Client({ connectionString: started.running.superuserUrl });
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
  const port = Number(new URL(running.superuserUrl).port);
  postgres = await startPostgres({ dir: join(home, 'postgres'), port });
  await Promise.all([...services, 'sandbox-systems' as const].map((name) => running.restart(name)));
}
const copyTree = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true });
  execFileSync('cp', ['-a', from, to]);
};

interface Audit {
  readonly violations: readonly { readonly invariant: string; readonly detail: string }[];
}
const audited = async (): Promise<string[]> => {
  const { violations } = await visitor.answer<Audit>('audit', 'invariants', '--tolerance', '1', '--grace', '5');
  return violations
    .filter(({ invariant }) => ['binding', 'stops', 'consents'].includes(invariant))
    .map(({ invariant, detail }) => `${invariant}: ${detail}`);
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
  for (const firm of [gone, going, held]) {
    const signals = firm.known();
    const accepted = await visitor.accepted('crm', signals);
    firsts.set(firm.id, accepted.find((a) => a.signalId === signals[1]?.id)?.contactId ?? '');
  }
  const idOf = (firm: typeof gone): string => firsts.get(firm.id) ?? '';
  await stopped((data) => {
    copy = `${data}.older`;
    copyTree(data, copy);
  });

  // Since the copy: the agent is stopped and resumed, a consent withdrawn, another one changed twice.
  for (const state of ['stop', 'resume', 'stop', 'resume'] as const) await control(state);
  const unsubscribed = (firm: typeof gone) =>
    signal('mailer', 'EmailUnsubscribed', { contact: { ref: firm.people[0]?.ref ?? '' } }, ago(0));
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
  const [withdrawn] = await sql<{ version: number; granted: boolean }>(
    `SELECT version::int, data @? '$.entries[*] ? (@.status == "granted")' AS granted
     FROM signal_ingestion.own_state WHERE topic = 'consents.v1' AND key = '${idOf(going)}'`,
  );
  // What is handled again may take versions too.
  expect(withdrawn?.version).toBeGreaterThan(3);
  expect(withdrawn?.granted).toBe(false);
  await visitor.accepted('website', [...gone.compare(), ...going.compare()]);
  const verdicts = (firm: typeof gone) =>
    visitor
      .eventsOf('ActionApproved', (a) => a.action.accountId === firm.id && a.action.kind === 'email.send')
      .map((a) => String(a.action.payload.contactId));
  await visitor.until('the colleagues to be written to', async () => {
    const colleagues = [gone, going].map((firm) => verdicts(firm).filter((id) => id !== idOf(firm))[0] ?? '');
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
    const refusals = visitor.eventsOf(
      'ActionRefused',
      (r) => r.agent === agent && r.verdict.reasons.some((x) => x.rule === 'kill-control' && x.outcome === 'refuse'),
    );
    return refusals.length > 0 && refusals;
  });
  expect(refused.length).toBeGreaterThan(0);
  expect(visitor.eventsOf('ActionApproved', (a) => a.action.accountId === held.id)).toEqual([]);
  expect(await audited()).toEqual([]);
  await control('resume');
});

/** The ids of a type's events, by what `by` picks of their data. */
function idsOf<T extends EventType>(type: T, by: (data: DataOf<T>) => string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const event of visitor.events) {
    if (event.type !== type) continue;
    const name = by(event.data as DataOf<T>);
    found.set(name, (found.get(name) ?? new Set()).add(event.id));
  }
  return found;
}
const callsOf = (account: string): string[] => outside.calls.filter((c) => c.account === account).map((c) => c.key);
const settlementOf = (permitId: string) => visitor.eventsOf('ActionSettled', (s) => s.permitId === permitId)[0];
const review = (answer: 'approve' | 'reject', proposalId: string) =>
  visitor.cli(
    'review',
    answer,
    proposalId,
    '--yes',
    ...(answer === 'reject' ? ['--category', 'other'] : []),
    '--note',
    'a test',
  );

test('after a restore nothing runs twice, what was approved is held and settles once, answers stand, and what waits can be answered', async () => {
  const [before, at, since, open] = tasked.map((id) => company(id));
  const boardBefore = company(`board-${randomUUID().slice(0, 8)}`, 3, 'c-suite');
  const boardSince = company(`board-${randomUUID().slice(0, 8)}`, 3, 'c-suite');
  const all = [before, at, since, open, boardBefore, boardSince] as const;
  for (const firm of all) if (firm) await visitor.accepted('crm', firm.known());
  const compared = async (...firms: (typeof before)[]) => {
    for (const firm of firms) if (firm) await visitor.accepted('website', firm.compare());
  };
  const escalated = (firm: typeof boardSince) =>
    visitor.until('first messages to wait for a person', () => {
      const found = visitor.eventsOf(
        'ActionEscalated',
        (e) => e.action.accountId === firm.id && e.action.kind === 'email.send',
      );
      return found.length >= 2 && found.map((e) => e.proposalId);
    });
  const answered = (answer: 'approve' | 'reject', proposalId: string) =>
    visitor.until(`${answer} of ${proposalId} to be taken`, async () => {
      if ((await review(answer, proposalId)).code !== 0) return false;
      const type = answer === 'approve' ? 'ActionApproved' : 'ActionRefused';
      return visitor.until('its verdict', () => visitor.eventsOf(type, (v) => v.proposalId === proposalId)[0]);
    });
  const called = (account: string) => visitor.until(`a task of ${account}`, () => callsOf(account).length > 0);

  await compared(before, at, boardBefore);
  await called('late-before');
  await called('held-at');
  const [yes = '', waits = ''] = await escalated(boardBefore);
  await stopped((data) => {
    copy = `${data}.older`;
    copyTree(data, copy);
  });

  // Since the copy: calls under way at it come to their end, others begin; answers are given, others are not.
  await compared(since, open, boardSince);
  await called('late-since');
  await called('held-since');
  const [no = '', waitsToo = ''] = await escalated(boardSince);
  await answered('approve', yes);
  await answered('reject', no);
  await visitor.until('the approved message to be sent', () =>
    visitor.eventsOf('ActionSettled', (s) => s.proposalId === yes && s.outcome === 'executed').at(0),
  );
  const effected = new Map(tasked.map((account) => [account, callsOf(account).length]));

  await stopped((data) => copyTree(copy, data));
  const unsettled = () =>
    visitor
      .eventsOf('ActionApproved')
      .filter(({ permitId }) => !settlementOf(permitId))
      .map(({ permitId, action, notBefore }) => `${permitId} ${action.kind} from ${notBefore}`);
  await visitor.until(
    () => `every approval to be settled: ${unsettled().join(', ')}`,
    () => unsettled().length === 0,
  );
  // What had its effect was asked for, and not called again.
  expect(new Map(tasked.map((account) => [account, callsOf(account).length]))).toEqual(effected);
  expect([...outside.effects.values()].filter((times) => times !== 1)).toEqual([]);
  for (const [permitId, ids] of idsOf('ActionSettled', (s) => s.permitId))
    expect([permitId, ids.size]).toEqual([permitId, 1]);
  for (const [permitId, ids] of idsOf('ActionApproved', (a) => a.permitId))
    expect([permitId, ids.size]).toEqual([permitId, 1]);
  for (const [proposalId, ids] of idsOf('ActionEscalated', (a) => a.proposalId))
    expect([proposalId, ids.size]).toEqual([proposalId, 1]);

  const held = await sql<{ id: string; n: number }>(
    'SELECT p.permit_id::text AS id, count(r.permit_id)::int AS n FROM guardrail_validator.permits p LEFT JOIN guardrail_validator.reservations r USING (permit_id) GROUP BY 1',
  );
  expect(new Map(held.map(({ id, n }) => [id, n]))).toEqual(
    // Approvals of an hour are counted by the minute and hold nothing.
    new Map(
      visitor
        .eventsOf('ActionApproved')
        .map((a) => [a.permitId, a.reservations.filter(({ ledger }) => !ledger.startsWith('actions:')).length]),
    ),
  );

  for (const id of [yes, no]) expect((await review('approve', id)).code, id).not.toBe(0);
  for (const id of [waits, waitsToo]) {
    const permit = (await answered('approve', id)) as DataOf<'ActionApproved'>;
    await visitor.until('what was answered after the restore to settle', () => settlementOf(permit.permitId));
  }
  const sentTo = visitor
    .eventsOf('ActionApproved', (a) => a.proposalId === yes)
    .map((a) => String(a.action.payload.contactId));
  expect(sentTo).toHaveLength(1);
  const { violations } = await visitor.answer<Audit>('audit', 'invariants', '--tolerance', '1', '--grace', '5');
  // The connected systems of the sample keep what they did in the same database: the copy has forgotten it.
  const forgotten = /^settled as executed, and the \S+ sandbox does not have it$/;
  expect(
    violations
      .filter(({ detail }) => !forgotten.test(detail))
      .map(({ invariant, detail }) => `${invariant}: ${detail}`),
  ).toEqual([]);
  const verified = await visitor.cli('verify');
  expect(verified.code, verified.out + verified.err).toBe(0);
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
  const control = (version: number, reason: string, scope: string): DataOf<'ControlChanged'> => {
    return { scope, version, state: 'stopped', by: 'somebody', reason, changedAt: new Date().toISOString() };
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
