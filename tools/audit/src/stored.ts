import { parseJson } from '@countersign/contracts';
import pg from 'pg';
import { throwIfDenied } from './denied.js';
import { type Chosen, placeName, type StoredVerdict, type VerdictSeen } from './observed.js';

/** Verdicts whose facts are read with one statement. */
const atOnce = 500;

// Facts that were stored at another time belong to another judgement.
const storedSql = `
  SELECT n.place, v.verdict_id IS NOT NULL OR p.permit_id IS NOT NULL AS known, CASE WHEN v.at = n.at THEN v.facts::text END AS facts
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[]) AS n(place, proposal, digest, outcome, at, permit)
  LEFT JOIN LATERAL (
    SELECT verdict_id, at, facts FROM guardrail_validator.verdicts
    WHERE proposal_id = n.proposal AND digest = n.digest AND outcome = n.outcome ORDER BY at = n.at DESC, verdict_id LIMIT 1
  ) v ON true
  LEFT JOIN guardrail_validator.permits p ON p.permit_id = n.permit`;

/**
 * What the validator stores about these verdicts. It is read after the topics that they are on. Null for all if this command may
 * not read its tables. `onProgress` receives how many are read.
 */
export async function readStored(
  url: string | undefined,
  verdicts: readonly VerdictSeen[],
  onProgress: (read: number, total: number) => void,
): Promise<readonly Chosen[]> {
  const unread = verdicts.map((seen) => ({ seen, stored: null }));
  if (url === undefined || verdicts.length === 0) return unread;
  const limits = { connectionTimeoutMillis: 5_000, query_timeout: 60_000 };
  const client = new pg.Client({ connectionString: url, application_name: 'audit', ...limits });
  const stored = new Map<string, StoredVerdict>();
  try {
    await client.connect();
    for (let from = 0; from < verdicts.length; from += atOnce) {
      const some = verdicts.slice(from, from + atOnce);
      const { rows } = await client.query<{ place: string; known: boolean; facts: string | null }>(storedSql, [
        some.map(({ place }) => placeName(place)),
        some.map(({ event }) => event.data.proposalId),
        some.map(({ event }) => event.data.digest),
        some.map(({ event }) => event.data.verdict.outcome),
        some.map(({ event }) => event.data.verdict.at),
        some.map(({ event }) => ('permitId' in event.data ? event.data.permitId : null)),
      ]);
      for (const { place, known, facts } of rows)
        stored.set(place, { known, facts: facts === null ? null : read(facts) });
      onProgress(Math.min(from + atOnce, verdicts.length), verdicts.length);
    }
    return verdicts.map((seen) => ({ seen, stored: stored.get(placeName(seen.place)) ?? null }));
  } catch (error) {
    throwIfDenied(error);
    return unread;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A value that cannot be read stays a text, which is no facts. One bad row must not hide the others. */
function read(facts: string): unknown {
  try {
    return parseJson(facts);
  } catch {
    return facts;
  }
}
