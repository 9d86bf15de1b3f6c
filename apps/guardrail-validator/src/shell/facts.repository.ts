import { cameToNothing, longest } from '@countersign/contracts';
import {
  type Counts,
  type EnrolmentFact,
  type Known,
  type MoneyLedger,
  moneyLedger,
  type Slots,
  type TaskFact,
} from '@countersign/gate';
import type { Tx } from '@countersign/runtime';
import { tasksAssigned } from '../core/tasks.js';
import { enrolmentBy, type Loaded, type Needed, type StepCount } from '../core/verdicts.js';

interface Row {
  readonly what:
    | typeof tasksAssigned
    | 'profiles.v1'
    | 'consents.v1'
    | 'controls.v1'
    | 'money'
    | 'held'
    | 'committed'
    | 'touched'
    | 'rate'
    | 'proposals'
    | 'enrolment'
    | 'step'
    | 'waiting'
    | 'decided';
  readonly key: string;
  readonly version: number;
  readonly data: string | null;
}

const nothing = cameToNothing.map((state) => `'${state}'`).join(', ');

// `followed_state` has the rows that `runtime.state` reads with one statement per topic; here one statement reads all topics.
// A rolling ledger is one array of times per state, not one row per count: an agent's hour may hold thousands of counts. It is read
// ledger by ledger, so that no plan reads the whole table.
// Proposals of a task are counted only up to the highest possible limit, so that a flood of proposals for a task slows no others down.
// An enrolment counts before its permit is settled: the settlement may arrive after the first message that needs the enrolment.
// A stop applies to a sequence and a contact, whichever agent or task asked for it: an enrolment's key is the task's id and the stop's key.
// Both times are of approvals, by this service's clock. If they are equal, the order is not known, and it counts as stopped.
// An enrolment that had no effect still counts while a message under it may be sent: a new enrolment would open the same steps again.
// A ledger of money may have amounts of several currencies: an agent may spend in ad accounts of different currencies.
// What a person decided is an escalation that a person's answer closed. A deadline closes one without a person.
// A sum of money is limited to the largest exact number: an executor may report amounts up to that number.
const sql = `
  SELECT s.topic AS what, s.key, s.version, s.data::text AS data
  FROM unnest($1::text[], $2::text[]) AS n(topic, key) JOIN followed_state s ON s.topic = n.topic AND s.key = n.key
  UNION ALL
  SELECT 'money', ledger, 0, json_build_object(
    'held', least(coalesce(sum(amount) FILTER (WHERE state = 'held'), 0), ${Number.MAX_SAFE_INTEGER}),
    'committed', least(coalesce(sum(amount) FILTER (WHERE state = 'committed'), 0), ${Number.MAX_SAFE_INTEGER}),
    'currency', currency)::text
  FROM reservations WHERE ledger = ANY($3) AND state <> 'released' GROUP BY ledger, currency
  UNION ALL
  SELECT of.state, n.ledger, 0, of.times FROM unnest($4::text[], $5::timestamptz[]) AS n(ledger, since)
  CROSS JOIN LATERAL (
    SELECT r.state, json_agg(floor(extract(epoch FROM r.counts_at) * 1000) ORDER BY r.counts_at)::text AS times
    FROM reservations r CROSS JOIN LATERAL generate_series(1, r.amount)
    WHERE r.ledger = n.ledger AND r.counts_at > n.since AND r.state <> 'released' GROUP BY r.state
  ) of
  UNION ALL
  SELECT 'rate', n.ledger, 0, (
    SELECT json_agg(json_build_array(floor(extract(epoch FROM a.minute) * 1000), a.approved) ORDER BY a.minute)::text
    FROM approvals_by_minute a WHERE a.ledger = n.ledger AND a.minute >= n.since
  ) FROM unnest($7::text[], $8::timestamptz[]) AS n(ledger, since)
  UNION ALL
  SELECT 'touched', contact, 0, NULL FROM unnest($6::text[]) AS n(contact)
  WHERE EXISTS (SELECT FROM reservations r WHERE r.ledger = 'touch:' || n.contact AND r.state = 'committed')
  UNION ALL
  SELECT 'proposals', n.name, 0, (
    SELECT count(*)::text FROM (
      SELECT FROM proposals p WHERE p.author = n.author AND p.task_id = n.task AND p.enrolment = n.enrolment LIMIT ${2 * longest.proposalsPerTask}
    ) few
  ) FROM unnest($9::text[], $10::text[], $11::uuid[], $12::text[]) AS n(name, author, task, enrolment)
  UNION ALL
  SELECT 'enrolment', n.name, 0, (
    SELECT json_build_object('proposal', v.proposal, 'ended', CASE
        WHEN i.state IN (${nothing}) THEN i.state
        WHEN EXISTS (
          SELECT FROM permits s WHERE s.enrolment <> '' AND s.enrolment = 'stop' || substr(i.enrolment, 37) AND s.step = 0 AND s.state = 'executed' AND s.at >= i.at
        ) THEN 'stopped'
      END)::text FROM permits i
    JOIN proposals p ON p.proposal_id = i.proposal_id AND p.author = n.author AND p.task_id = n.task
    JOIN verdicts v ON v.proposal_id = i.proposal_id AND v.action_id = i.action_id AND v.outcome = 'approved'
    WHERE i.action_id = n.enrolment::uuid ORDER BY i.state IN (${nothing}) LIMIT 1
  ) FROM unnest($9::text[], $10::text[], $11::uuid[], $12::text[]) AS n(name, author, task, enrolment) WHERE n.enrolment <> ''
  UNION ALL
  SELECT 'step', n.name, 0, (
    SELECT json_build_object(
      'approved', (SELECT count(*) FROM permits i WHERE i.enrolment <> '' AND i.enrolment = n.enrolment AND i.step = n.step AND (
        i.state NOT IN (${nothing})
        OR EXISTS (SELECT FROM permits m WHERE m.enrolment <> '' AND m.enrolment = i.action_id::text AND m.state NOT IN (${nothing}))
        OR EXISTS (SELECT FROM escalations e WHERE e.author = n.author AND e.state = 'open' AND e.enrolment = i.action_id::text))),
      'waiting', (SELECT count(*) FROM escalations e WHERE e.author = n.author AND e.state = 'open' AND e.enrolment = n.enrolment AND e.step = n.step)
    )::text
  ) FROM unnest($14::text[], $15::text[], $16::text[], $17::bigint[]) AS n(name, author, enrolment, step)
  UNION ALL
  SELECT 'waiting', n.author, 0, (SELECT count(*)::text FROM escalations e WHERE e.author = n.author AND e.state = 'open')
  FROM unnest($13::text[]) AS n(author)
  UNION ALL
  SELECT 'decided', n.name, 0, (
    SELECT count(*)::text FROM (
      SELECT FROM escalations e WHERE e.author = n.author AND e.kind = n.kind AND e.closed_by IS NOT NULL LIMIT n.most
    ) few
  ) FROM unnest($18::text[], $19::text[], $20::text[], $21::int[]) AS n(name, author, kind, most)`;

/**
 * Reads the facts behind requests, except the policy, all as of one moment: state of other services, the amounts held and committed on
 * ledgers, and the people to whom a touch was ever executed. The ledgers are locked before, so that their data stays true until the
 * commit. The counts of an agent's proposals, of its open reviews and of a step's messages stay true too, as upper bounds: each request
 * of an agent locks the agent's ledger of approvals.
 */
export async function readFacts(tx: Tx, needed: Needed): Promise<Loaded> {
  const { tasks: taskIds, profiles, consents, controls, contacts } = needed;
  const keys = Object.entries({
    [tasksAssigned]: taskIds,
    'profiles.v1': profiles,
    'consents.v1': consents,
    'controls.v1': controls,
  });
  const money = needed.ledgers.filter((l) => l.since === null).map((l) => l.ledger);
  const counts = needed.ledgers.filter((l) => l.since !== null);
  const params = [
    keys.flatMap(([topic, topicKeys]) => topicKeys.map(() => topic)),
    keys.flatMap(([, topicKeys]) => topicKeys),
    money,
    counts.map((l) => l.ledger),
    counts.map((l) => l.since),
    contacts,
    needed.rates.map((r) => r.ledger),
    needed.rates.map((r) => r.since),
    needed.tallies.map((t) => t.name),
    needed.tallies.map((t) => t.author),
    needed.tallies.map((t) => t.taskId),
    needed.tallies.map((t) => t.enrolment),
    needed.authors,
    needed.steps.map((s) => s.name),
    needed.steps.map((s) => s.author),
    needed.steps.map((s) => s.enrolment),
    needed.steps.map((s) => s.n),
    needed.decisions.map((d) => d.name),
    needed.decisions.map((d) => d.author),
    needed.decisions.map((d) => d.kind),
    needed.decisions.map((d) => d.most),
  ];
  const rows = params.some((list) => list.length > 0) ? await tx.query<Row>(sql, params) : [];

  const state = {
    'profiles.v1': new Map<string, Known<never>>(),
    'consents.v1': new Map<string, Known<never>>(),
    'controls.v1': new Map<string, Known<never>>(),
  };
  const ledgers = new Map<string, MoneyLedger | Counts | Slots>();
  const tasks = new Map<string, TaskFact>();
  const touched = new Set<string>();
  const proposals = new Map<string, number>();
  const waiting = new Map<string, number>();
  const decided = new Map<string, number>();
  const enrolments = new Map<string, EnrolmentFact>();
  const steps = new Map<string, StepCount>();
  /** The rows of each ledger of money: one for each currency. */
  const amounts = new Map(money.map((ledger) => [ledger, [] as Parameters<typeof moneyLedger>[0][number][]]));
  for (const { ledger } of counts) ledgers.set(ledger, { held: [], committed: [] });
  for (const { what, key, version, data } of rows) {
    const value = data === null ? null : JSON.parse(data);
    switch (what) {
      case 'money':
        amounts.get(key)?.push(value);
        break;
      case 'held':
      case 'committed':
        ledgers.set(key, { ...(ledgers.get(key) as Counts), [what]: value });
        break;
      case 'rate':
        ledgers.set(key, { slots: value ?? [] });
        break;
      case tasksAssigned:
        tasks.set(key, value);
        break;
      case 'proposals':
        proposals.set(key, value);
        break;
      case 'waiting':
        waiting.set(key, value);
        break;
      case 'decided':
        decided.set(key, value);
        break;
      case 'enrolment': {
        const tally = needed.tallies.find(({ name }) => name === key);
        const begun = value && tally && enrolmentBy(value.proposal, tally);
        if (begun) enrolments.set(key, { ...begun, ...(value.ended !== null && { ended: value.ended }) });
        break;
      }
      case 'step':
        steps.set(key, value);
        break;
      case 'touched':
        touched.add(key);
        break;
      default:
        state[what].set(key, { version, data: value });
    }
  }
  for (const [ledger, parts] of amounts) ledgers.set(ledger, moneyLedger(parts));
  return {
    tasks,
    profiles: state['profiles.v1'],
    consents: state['consents.v1'],
    controls: state['controls.v1'],
    ledgers,
    touched,
    proposals,
    enrolments,
    steps,
    waiting,
    decided,
  };
}
