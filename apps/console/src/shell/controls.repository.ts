import { type DataOf, digestOf } from '@countersign/contracts';
import { deployment, type Reader, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { askedReaders, type Confirmation, type Confirmed, confirmed } from '../core/confirmed.js';
import { unconfirmed } from '../core/control.js';
import type { ScopeCursor } from '../core/cursor.js';
import type { StopInForce } from '../core/loss.js';
import { nameOfScope, scopeNamed } from './names.js';
import { readersOf } from './readers.js';

/** Stops and resumes, as the state topic has them: it is the only account of what is stopped. */
@Injectable()
export class ControlStore {
  private readonly forPages: Reader;
  private readonly forActs: Reader;

  constructor(@Inject(RUNTIME) runtime: Runtime) {
    ({ forPages: this.forPages, forActs: this.forActs } = readersOf(runtime));
  }

  /** Every stop in force, with the readers that have confirmed it. */
  stops(): Promise<ControlRow[]> {
    return read(this.forPages, `o.data->>'state' = 'stopped' ORDER BY o.key`, []);
  }

  /** The control of one scope. The person who stops it asks, so no page delays the answer. */
  async of(scope: string, reader = this.forActs): Promise<ControlRow | undefined> {
    const [control] = await read(reader, 'o.key = $1', [scope]);
    return control;
  }

  /** The stops in force among these scopes. */
  async stopsOf(scopes: readonly string[], reader = this.forPages): Promise<StopInForce[]> {
    const rows = await reader.query<{ name: string | null; data: DataOf<'ControlChanged'> }>(
      `SELECT o.data, ${scopeNamed('o.key')} AS name FROM published_state o
       WHERE o.topic = 'controls.v1' AND o.key = ANY($1) AND o.data->>'state' = 'stopped' ORDER BY o.key`,
      [scopes],
    );
    return rows.map(({ name, data: { scope, by, reason, changedAt } }) => ({ scope, name, by, reason, changedAt }));
  }

  /** What a scope is called; null if only its id is known. */
  nameOf(scope: string): Promise<string | null> {
    return nameOfScope(this.forPages, scope);
  }

  /** The stops that were lifted, the latest first. Nothing deletes them, so a page shows only a part. */
  lifted(limit: number, behind?: ScopeCursor): Promise<ControlRow[]> {
    return read(
      this.forPages,
      `o.data->>'state' = 'running' AND ($2::timestamptz IS NULL OR (${changedAt}, o.key) < ($2, $3::text))
       ORDER BY ${changedAt} DESC, o.key DESC LIMIT $1`,
      [limit, behind?.at ?? null, behind?.scope ?? null],
    );
  }

  /** For each reader, how many lifted stops it has not confirmed. They are compared by version alone: the digests need every row. */
  async liftedNotConfirmed(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.forPages.query<{ reader: string; n: number }>(
      `SELECT asked.reader, count(*) AS n FROM unnest($1::text[]) AS asked(reader), published_state o
       WHERE o.topic = 'controls.v1' AND o.data->>'state' = 'running' AND NOT EXISTS (
         SELECT FROM control_confirmations c WHERE c.scope = o.key AND c.reader = asked.reader AND c.version = o.version)
       GROUP BY asked.reader`,
      [askedReaders(await confirmersOf(this.forPages), participants)],
    );
    return new Map(rows.map(({ reader, n }) => [reader, n]));
  }
}

const participants = deployment();
const changedAt = `(o.data->>'changedAt')::timestamptz`;

async function read(reader: Reader, which: string, params: readonly unknown[]): Promise<ControlRow[]> {
  const rows = await reader.query<{
    data: DataOf<'ControlChanged'>;
    name: string | null;
    confirmations: Confirmation[];
  }>(
    `SELECT o.data, ${scopeNamed('o.key')} AS name, coalesce((SELECT json_agg(c) FROM control_confirmations c WHERE c.scope = o.key), '[]') AS confirmations
     FROM published_state o WHERE o.topic = 'controls.v1' AND o.data IS NOT NULL AND ${which}`,
    params,
  );
  if (rows.length === 0) return [];
  const readers = await confirmersOf(reader);
  return rows.map(({ data, name, confirmations }) => {
    const control = unconfirmed(data);
    const digests = [digestOf(data), digestOf(control)];
    return { ...control, name, ...confirmed({ ...control, digests }, confirmations, readers, participants) };
  });
}

/** The executors that have confirmed any control. */
async function confirmersOf(reader: Reader): Promise<ReadonlySet<string>> {
  const rows = await reader.query<{ reader: string }>(
    `SELECT reader FROM unnest($1::text[]) AS reader
     WHERE EXISTS (SELECT FROM control_confirmations c WHERE c.reader = reader.reader)`,
    [participants.executors],
  );
  return new Set(rows.map(({ reader: name }) => name));
}

export interface ControlRow extends Confirmed {
  readonly scope: string;
  /** The title of the play or the name of the account that it concerns, if the console knows one. */
  readonly name: string | null;
  readonly state: 'stopped' | 'running';
  readonly by: string;
  readonly reason: string;
  readonly version: number;
  readonly changedAt: string;
}
