import { type EventType, type Policy, type TopicOf, topics } from '@countersign/contracts';
import { type GateState, governing } from '@countersign/gate';
import { type Ago, type Reader, RUNTIME, type Runtime, type StateRow } from '@countersign/runtime';
import { Inject, Injectable, Logger } from '@nestjs/common';

/** Which rows some permits are compared with. */
export interface Compared {
  readonly controls: readonly string[];
  readonly consents: readonly string[];
}

/**
 * Reads everything as of one moment in one statement; it runs before every group of calls. The policy is most of the data, so its content
 * is sent only if its row was written since the last read.
 */
const rowsOf = `
  SELECT topic, key, version, CASE WHEN topic = 'policies.v1' THEN written END AS written,
         CASE WHEN topic = 'policies.v1' AND written IS DISTINCT FROM $3 THEN data ELSE data - 'content' END AS data
  FROM followed_state
  WHERE (topic = 'consents.v1' AND key = ANY($1)) OR (topic = 'controls.v1' AND key = ANY($2))
     OR (topic = 'policies.v1' AND key = 'main')
  ORDER BY topic, key`;
const heldRowsOf = `${rowsOf} FOR SHARE`;

type Row = StateRow & { readonly topic: string; readonly key: string; readonly written: string | null };

/** The policy's row at the last read, and whether its digests match its content. */
interface Checked {
  readonly written: string | null;
  readonly governs: boolean;
}

/** The state that was read, with its age at the time of each call: a process may be suspended between the read and the comparison. */
export type Known = () => GateState;

/** The state that permits are compared with, as this executor has read it. */
@Injectable()
export class ComparedState {
  private readonly log = new Logger('state');
  private checked: Checked = { written: null, governs: false };

  constructor(@Inject(RUNTIME) private readonly runtime: Pick<Runtime, 'state' | 'comparedAgo' | 'read'>) {}

  /** The rows as they are now, without locks: for the check right before a call. */
  now(compared: readonly Compared[]): Promise<Known> {
    return this.in({ query: this.runtime.read.bind(this.runtime) }, compared);
  }

  /** The rows as a transaction reads them. With `lock`, they are held FOR SHARE, locked in the order of their topics and keys. */
  async in(tx: Reader, compared: readonly Compared[], lock?: 'share'): Promise<Known> {
    // Taken before the rows are read: the age is then too high rather than too low, which is safe.
    const ago = this.runtime.comparedAgo();
    const contacts = [...new Set(compared.flatMap((c) => c.consents))];
    const scopes = [...new Set(compared.flatMap((c) => c.controls))];
    const last = this.checked;
    const found: readonly Row[] = await tx.query(lock ? heldRowsOf : rowsOf, [contacts, scopes, last.written]);
    const consents = await this.all(tx, topics.consents, contacts, found, lock);
    const controls = await this.all(tx, topics.controls, scopes, found, lock);
    const policy = (await this.all(tx, topics.policies, ['main'], found, lock)).get('main');
    const governs = this.governs(
      found.find(({ topic }) => topic === 'policies.v1'),
      last,
    );
    const state = {
      consents: Object.fromEntries(
        [...consents].map(([contactId, { version, data }]) => [
          contactId,
          { version, entries: data?.entries ?? [], suppressions: data?.suppressions ?? [] },
        ]),
      ),
      controls: Object.fromEntries(
        [...controls].map(([scope, { version, data }]) => [
          scope,
          data
            ? { version, state: data.state, by: data.by, reason: data.reason }
            : { version, state: 'running' as const },
        ]),
      ),
      policy: governs && policy?.data ? { version: policy.version, parts: policy.data.parts } : null,
    };
    const ageOf = (since: Ago | null | undefined): number | null => since?.() ?? null;
    const ages = () => ({
      controls: ageOf(ago['controls.v1']),
      consents: ageOf(ago['consents.v1']),
      policies: ageOf(ago['policies.v1']),
    });
    return () => ({ ...state, ageMs: ages() });
  }

  /**
   * Whether the policy's digests match its content, checked once each time its row was written. A policy that was altered in the table
   * counts as not read, so no permit opens under it.
   */
  private governs(row: Row | undefined, last: Checked): boolean {
    if (!row?.data) return false;
    if (row.written === last.written) return last.governs;
    const found = governing(row.data as Policy);
    if (!found.ok) this.log.error(`nothing runs: ${found.detail}`);
    this.checked = { written: row.written, governs: found.ok };
    return found.ok;
  }

  /** One row per key. With `lock`, missing rows are created and held too, so that no first version can be written in between. */
  private async all<T extends EventType>(
    tx: Reader,
    topic: TopicOf<T>,
    keys: readonly string[],
    found: readonly Row[],
    lock?: 'share',
  ): Promise<ReadonlyMap<string, StateRow<T>>> {
    const rows = new Map<string, StateRow<T>>();
    for (const row of found) if (row.topic === topic.name) rows.set(row.key, row as StateRow<T>);
    const missing = keys.filter((key) => !rows.has(key));
    if (missing.length === 0) return rows;
    const made = lock && (await this.runtime.state(tx, topic, missing, lock));
    for (const key of missing) rows.set(key, made?.get(key) ?? { version: 0, data: null });
    return rows;
  }
}
