import pg from 'pg';
import { templates } from './templates.js';

/** How many reviews are open; the latest actions that were escalated. */
export const openReviews = 40;

/**
 * Fills the console's tables with `count` actions of the last 29 days, statement by statement: their stories, lines, approvals and
 * settlements, one in ten with a review, and 20,000 people. Lines of the latest 20,000 actions keep the bytes of their events.
 */
export async function fillConsole(url: string, count: number, now: Date): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements(count, now)) await client.query(statement);
  } finally {
    await client.end();
  }
}

function statements(count: number, now: Date): readonly string[] {
  const { card, bytes } = templates(now.toISOString());
  const text = (value: unknown): string => pg.escapeLiteral(typeof value === 'string' ? value : JSON.stringify(value));
  const spacingS = (29 * 86_400) / count;
  const people = Math.ceil(count / 5);
  const accounts = Math.ceil(count / 50);
  const line = (
    type: string,
    topic: string,
    subject: string,
    detail: string,
    afterS: number,
    where: string,
  ): string => `
    INSERT INTO activities (correlation_id, topic, event_id, type, subject_id, detail, at, partition, "offset", bytes)
    SELECT correlation, ${text(topic)}, pg_temp.id('${type}' || n), ${text(type)}, ${subject}, ${detail}, at + interval '${afterS} s', n % 4, n,
      ${bytes.has(type) ? `CASE WHEN n <= 20000 THEN '\\x${bytes.get(type)}'::bytea END` : 'NULL'}
    FROM made WHERE ${where} ORDER BY n DESC`;
  return [
    'BEGIN',
    'SET LOCAL search_path TO console, pg_temp',
    `CREATE FUNCTION pg_temp.id(what text) RETURNS uuid IMMUTABLE LANGUAGE sql
       RETURN overlay(overlay(md5(what) PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid`,
    // A smaller number means a later action. Of ten, one is escalated, two are refused, and the others run; some of those fail.
    `CREATE TEMP TABLE made ON COMMIT DROP AS
     SELECT n, pg_temp.id('proposal' || n) AS proposal, pg_temp.id('action' || n) AS action, pg_temp.id('task' || n) AS task,
       pg_temp.id('run' || n) AS run, pg_temp.id('permit' || n) AS permit, 'bench-signal-' || n AS correlation,
       timestamptz ${text(now.toISOString())} - n * interval '${spacingS} s' AS at,
       'bench-' || (n * 7919) % ${accounts} AS account, pg_temp.id('contact' || (n * 7919) % ${people}) AS contact,
       n % 10 = 0 AS escalated, n % 10 = 0 AND n <= ${openReviews * 10} AS open,
       CASE WHEN n % 10 = 0 AND n <= ${openReviews * 10} THEN 'escalated' WHEN n % 10 IN (3, 7) THEN 'refused' WHEN n % 97 = 0 THEN 'failed' ELSE 'executed' END AS outcome,
       CASE WHEN n % 2 = 0 THEN 'paid-media-agent' ELSE 'sequencing-agent' END AS agent,
       CASE WHEN n % 2 = 0 THEN 'return-below-floor' ELSE 'tier-1-pricing-surge' END AS play,
       CASE WHEN n % 2 = 0 THEN 'Return below its floor' ELSE 'Tier 1 pricing surge' END AS title,
       CASE WHEN n % 2 = 0 THEN 'ads.shift_budget' ELSE 'email.send' END AS kind,
       CASE WHEN n % 2 = 0 THEN 'move EUR 600.00 of daily budget from c-1 to c-2' ELSE 'send one message to a person' END AS sentence
     FROM generate_series(1, ${count}) AS n`,
    'ANALYZE made',
    `INSERT INTO accounts (account_id, name, tier, industry, country, version)
     SELECT 'bench-' || n, 'Bench Works ' || n, 1 + n % 3, 'software', 'DE', 1 FROM generate_series(0, ${accounts - 1}) AS n`,
    `INSERT INTO people (contact_id, account_id, seniority, job_function, country, time_zone, reachable, first_touched_at, last_engaged_at, signals, version, changed_at)
     SELECT pg_temp.id('contact' || n), 'bench-' || n % ${accounts}, 'manager', 'marketing', 'DE', 'Europe/Berlin', '[]', now() - interval '20 days',
       now() - n * interval '1 minute', 3, 1, now() - n * interval '1 minute' FROM generate_series(0, ${people - 1}) AS n`,
    `INSERT INTO person_actions (contact_id, action_id, proposal_id, agent, play_title, kind, detail, at)
     SELECT contact, action, proposal, agent, title, kind, sentence, at FROM made WHERE kind = 'email.send'`,
    `INSERT INTO stories (proposal_id, action_id, correlation_id, task_id, run_id, agent, play_id, play_title, kind, account_id, sentence, outcome, reason, rank, started_at, changed_at)
     SELECT proposal, action, correlation, task, run, agent, play, title, kind, account, sentence, outcome,
       CASE outcome WHEN 'refused' THEN 'spend-cap: EUR 20.00 over the daily cap' WHEN 'failed' THEN 'the connected system refused it' END,
       CASE outcome WHEN 'escalated' THEN 1 WHEN 'refused' THEN 3 ELSE 4 END, at, at + interval '3 s' FROM made ORDER BY n DESC`,
    `INSERT INTO story_names (name, proposal_id)
     SELECT lower(name), proposal FROM made, LATERAL (VALUES (proposal::text), (action::text), (task::text), (correlation), (account), (contact::text)) AS v(name)
     ON CONFLICT DO NOTHING`,
    line('SignalAccepted', 'signals.accepted.v1', 'NULL', "'return of campaign c-1'", 0, 'true'),
    line('TaskAssigned', 'tasks.assigned.v1', 'task', "'Stop the loss'", 0.5, 'true'),
    line('ActionProposed', 'actions.proposed.paid-media-agent.v1', 'proposal', 'sentence', 1, 'true'),
    line(
      'ActionEscalated',
      'actions.escalated.v1',
      'proposal',
      "'approval-threshold: above EUR 100.00'",
      1.5,
      'escalated',
    ),
    line('ActionRefused', 'actions.refused.v1', 'proposal', "'spend-cap'", 2, "outcome = 'refused'"),
    line('ActionApproved', 'actions.approved.v1', 'proposal', "'approved'", 2, "outcome IN ('executed', 'failed')"),
    line(
      'ActionSettled',
      'actions.settled.action-executor.v1',
      'proposal',
      'outcome',
      3,
      "outcome IN ('executed', 'failed')",
    ),
    `INSERT INTO verdicts (action_id, outcome, review_id, reasons, executor, decided_at)
     SELECT action, CASE outcome WHEN 'refused' THEN 'refused' ELSE 'approved' END, CASE WHEN escalated THEN pg_temp.id('review' || n) END, '[]', 'action-executor', at + interval '2 s'
     FROM made WHERE NOT open`,
    `INSERT INTO permits (action_id, permit_id, executor, digest)
     SELECT action, permit, 'action-executor', ${text(card.digest)} FROM made WHERE outcome IN ('executed', 'failed')`,
    `INSERT INTO settlements (action_id, outcome, executor, settled_at, permit_id, digest, approved, kept_at)
     SELECT action, outcome, 'action-executor', at + interval '3 s', permit, ${text(card.digest)}, true, at FROM made WHERE outcome IN ('executed', 'failed')`,
    // As long as they are retained: approvals of money for their day, the others until they expire.
    `INSERT INTO approvals (action_id, proposal_id, permit_id, executor, agent, play, kind, accounts, detail, not_before, expires_at, approved_at, day, ad_account_id, campaign_id, amount_minor, currency)
     SELECT action, proposal, permit, 'action-executor', agent, play, kind, ARRAY[account], sentence, at, at + interval '10 minutes', at, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'ads-1', 'c-2', 60000, 'EUR'
     FROM made WHERE kind LIKE 'ads.%' AND outcome = 'executed' AND at > now() - interval '2 days'`,
    `INSERT INTO escalations (action_id, subject_kind, subject_id, run_id, action_key, digest, correlation_id, card, deadline_at, escalated_at)
     SELECT action, 'proposal', proposal, run, 'ads-1', ${text(card.digest)}, correlation,
       (${text(card)}::jsonb || jsonb_build_object('proposalId', proposal, 'actionId', action, 'taskId', task, 'reviewers', jsonb_build_array('lea'))
        || jsonb_build_object('action', ${text(card.action)}::jsonb || jsonb_build_object('actionId', action, 'accountId', account)))::json,
       CASE WHEN open THEN now() + n * interval '1 minute' + interval '30 minutes' ELSE at + interval '1 hour' END, at FROM made WHERE escalated`,
    `INSERT INTO reviews (review_id, subject_kind, subject_id, digest, decision, by_person, decided_at)
     SELECT pg_temp.id('review' || n), 'proposal', proposal, ${text(card.digest)}, 'approve', 'bench', at + interval '2 s' FROM made WHERE escalated AND NOT open`,
    `INSERT INTO agent_actions (proposal_id, agent, play_id, run_id, action_id, kind, detail, correlation_id, proposed_at, kept_at)
     SELECT proposal, agent, play, run, action, kind, sentence, correlation, at, at FROM made`,
    `INSERT INTO play_runs (run_id, play_id, account_id, correlation_id, started_at, kept_at) SELECT run, play, account, correlation, at, at FROM made`,
    `INSERT INTO play_tasks (task_id, run_id, agent, purpose, assigned_at, due_at, kept_at)
     SELECT task, run, agent, 'Stop the loss', at, at + interval '30 minutes', at FROM made`,
    `INSERT INTO agent_counts (agent, day, stage, label, n)
     SELECT agent, at::date, stage, label, count(*) FROM made, LATERAL (VALUES ('proposals', 'proposed'), ('verdicts', CASE outcome WHEN 'refused' THEN 'refused' WHEN 'escalated' THEN 'escalated' ELSE 'approved' END)) AS s(stage, label)
     GROUP BY 1, 2, 3, 4 ON CONFLICT DO NOTHING`,
    `INSERT INTO counts AS c (stage, label, n) SELECT 'settled', outcome, count(*) FROM made WHERE outcome IN ('executed', 'failed') GROUP BY outcome
     ON CONFLICT (stage, label) DO UPDATE SET n = c.n + excluded.n`,
    'COMMIT',
    'ANALYZE',
  ];
}
