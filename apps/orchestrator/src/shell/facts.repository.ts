import type { Tx } from '@countersign/runtime';
import type { PlaySubject } from '../core/detect.js';
import { type ContactSignal, type DayReport, subjectKey } from '../core/facts.js';

/** What patterns are found in: signals per account, reports per campaign, and the locked row per play and subject. */

const iso = (value: Date): string => value.toISOString();

/** Locks the rows of these plays and subjects in key order, and creates the missing ones. The result is keyed by `<play> <subject>`. */
export async function lockSubjects(
  tx: Tx,
  wanted: readonly { readonly playId: string; readonly subject: string }[],
): Promise<Map<string, PlaySubject>> {
  const keys = [...new Map(wanted.map((w) => [`${w.playId} ${w.subject}`, w])).values()];
  if (keys.length === 0) return new Map();
  const params = [keys.map((k) => k.playId), keys.map((k) => k.subject)];
  const held = () =>
    tx.query<{ play_id: string; subject: string; runs: number; last_started_at: Date | null }>(hold, params);
  let rows = await held();
  if (rows.length < keys.length) {
    await tx.query(
      `INSERT INTO play_subjects (play_id, subject) SELECT p, s FROM unnest($1::text[], $2::text[]) AS n(p, s)
       ORDER BY p, s ON CONFLICT DO NOTHING`,
      params,
    );
    rows = await held();
  }
  return new Map(
    rows.map((r) => [
      `${r.play_id} ${r.subject}`,
      { runs: r.runs, lastStartedAt: r.last_started_at && iso(r.last_started_at) },
    ]),
  );
}

const hold = `
  SELECT s.play_id, s.subject, s.runs, s.last_started_at
  FROM play_subjects s JOIN unnest($1::text[], $2::text[]) AS n(play_id, subject) USING (play_id, subject)
  ORDER BY s.play_id, s.subject FOR UPDATE OF s`;

/** Notes that runs started, on rows that are locked. */
export function noteStarts(
  tx: Tx,
  starts: readonly { readonly playId: string; readonly subject: string; readonly ordinal: number }[],
  at: string,
): void {
  if (starts.length === 0) return;
  tx.write(
    `UPDATE play_subjects p SET runs = n.runs, last_started_at = $4
     FROM (SELECT play_id, subject, max(runs) AS runs
           FROM unnest($1::text[], $2::text[], $3::int[]) AS u(play_id, subject, runs) GROUP BY 1, 2) n
     WHERE p.play_id = ANY($1) AND p.subject = ANY($2) AND p.play_id = n.play_id AND p.subject = n.subject`,
    [starts.map((s) => s.playId), starts.map((s) => s.subject), starts.map((s) => s.ordinal), at],
  );
}

export async function loadSignals(
  tx: Tx,
  accountIds: readonly string[],
  types: readonly string[],
  since: string,
): Promise<Map<string, ContactSignal[]>> {
  const found = new Map<string, ContactSignal[]>();
  if (accountIds.length === 0) return found;
  const rows = await tx.query<{
    source: string;
    signal_id: string;
    type: string;
    account_id: string;
    contact_id: string;
    occurred_at: Date;
    received_at: Date;
    facts: Record<string, unknown>;
  }>(
    `SELECT source, signal_id, type, account_id, contact_id, occurred_at, received_at, facts FROM signals
     WHERE account_id = ANY($1) AND type = ANY($2) AND occurred_at >= $3`,
    [accountIds, types, since],
  );
  for (const r of rows) {
    const list = found.get(r.account_id) ?? [];
    found.set(r.account_id, list);
    list.push({
      source: r.source,
      signalId: r.signal_id,
      type: r.type,
      accountId: r.account_id,
      contactId: r.contact_id,
      occurredAt: iso(r.occurred_at),
      receivedAt: iso(r.received_at),
      facts: r.facts,
    });
  }
  return found;
}

export function storeSignals(tx: Tx, signals: readonly ContactSignal[]): void {
  if (signals.length === 0) return;
  tx.write(
    `INSERT INTO signals (source, signal_id, type, account_id, contact_id, occurred_at, received_at, facts)
     SELECT source, signal_id, type, account_id, contact_id, occurred_at, received_at, facts::jsonb
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::timestamptz[], $8::text[])
       AS n(source, signal_id, type, account_id, contact_id, occurred_at, received_at, facts)
     ORDER BY source, signal_id ON CONFLICT DO NOTHING`,
    [
      signals.map((s) => s.source),
      signals.map((s) => s.signalId),
      signals.map((s) => s.type),
      signals.map((s) => s.accountId),
      signals.map((s) => s.contactId),
      signals.map((s) => s.occurredAt),
      signals.map((s) => s.receivedAt),
      signals.map((s) => JSON.stringify(s.facts)),
    ],
  );
}

/** Reports of these campaigns, by the campaign's `subjectKey`. */
export async function loadReports(
  tx: Tx,
  campaigns: readonly { readonly adAccountId: string; readonly campaignId: string }[],
): Promise<Map<string, DayReport[]>> {
  const found = new Map<string, DayReport[]>();
  if (campaigns.length === 0) return found;
  const rows = await tx.query<{
    ad_account_id: string;
    campaign_id: string;
    day: string;
    spend_minor: number;
    revenue_minor: number;
    currency: string;
    status: DayReport['status'];
    return_floor_percent: number | null;
    source: string;
    signal_id: string;
    occurred_at: Date;
    received_at: Date;
  }>(`SELECT * FROM day_reports WHERE (ad_account_id, campaign_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))`, [
    campaigns.map((c) => c.adAccountId),
    campaigns.map((c) => c.campaignId),
  ]);
  for (const r of rows) {
    const report: DayReport = {
      adAccountId: r.ad_account_id,
      campaignId: r.campaign_id,
      day: r.day,
      spendMinor: r.spend_minor,
      revenueMinor: r.revenue_minor,
      currency: r.currency,
      status: r.status,
      returnFloorPercent: r.return_floor_percent,
      source: r.source,
      signalId: r.signal_id,
      occurredAt: iso(r.occurred_at),
      receivedAt: iso(r.received_at),
    };
    const key = subjectKey({ kind: 'campaign', ...report });
    const list = found.get(key) ?? [];
    found.set(key, list);
    list.push(report);
  }
  return found;
}

/** Stores the latest report of each day; the caller has at most one per day. */
export function storeReports(tx: Tx, reports: readonly DayReport[]): void {
  if (reports.length === 0) return;
  tx.write(
    `INSERT INTO day_reports (ad_account_id, campaign_id, day, spend_minor, revenue_minor, currency, status,
       return_floor_percent, source, signal_id, occurred_at, received_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
       $8::int[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[])
     ORDER BY 1, 2, 3
     ON CONFLICT (ad_account_id, campaign_id, day) DO UPDATE SET
       spend_minor = excluded.spend_minor, revenue_minor = excluded.revenue_minor, currency = excluded.currency,
       status = excluded.status, return_floor_percent = excluded.return_floor_percent, source = excluded.source,
       signal_id = excluded.signal_id, occurred_at = excluded.occurred_at, received_at = excluded.received_at
     WHERE (day_reports.occurred_at, day_reports.source COLLATE "C", day_reports.signal_id COLLATE "C")
         < (excluded.occurred_at, excluded.source COLLATE "C", excluded.signal_id COLLATE "C")`,
    [
      reports.map((r) => r.adAccountId),
      reports.map((r) => r.campaignId),
      reports.map((r) => r.day),
      reports.map((r) => r.spendMinor),
      reports.map((r) => r.revenueMinor),
      reports.map((r) => r.currency),
      reports.map((r) => r.status),
      reports.map((r) => r.returnFloorPercent),
      reports.map((r) => r.source),
      reports.map((r) => r.signalId),
      reports.map((r) => r.occurredAt),
      reports.map((r) => r.receivedAt),
    ],
  );
}

/** Deletes facts that no play can look back to any more: windows and freshness are at most ninety days each. */
export async function sweep(tx: Tx, at: string): Promise<void> {
  const before = new Date(Date.parse(at) - 200 * 86_400_000).toISOString();
  await tx.query('DELETE FROM signals WHERE received_at < $1', [before]);
  await tx.query('DELETE FROM day_reports WHERE day < $1', [before.slice(0, 10)]);
}
