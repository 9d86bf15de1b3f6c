import type { Reader } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Check } from '../core/notify.js';
import { Store } from './console.repository.js';
import type { Waiting } from './notifications.repository.js';

type CheckOn<K extends Check['on']> = Extract<Check, { on: K }>;

/**
 * Checks that the content of a notification is still true when it is due. It reads through the caller's transaction: jobs that each hold
 * a connection and wait for a second one would wait for ever.
 */
@Injectable()
export class StillTrue {
  constructor(@Inject(Store) private readonly store: Store) {}

  /** The notifications that are no longer true, by id, each with the reason. */
  async untrue(reader: Reader, rows: readonly Waiting[], at: string): Promise<ReadonlyMap<string, string>> {
    const reasons = new Map<string, string>();
    const on = <K extends Check['on']>(kind: K) =>
      rows.flatMap(({ id, facts: { check } }) => (check.on === kind ? [{ id, check: check as CheckOn<K> }] : []));

    const reviews = on('review');
    if (reviews.length > 0) {
      const found = await this.store.standings(reader, at, unique(reviews.map(({ check }) => check.subjectId)));
      for (const { id, check } of reviews) {
        const current = found.get(check.subjectId);
        if (current && current.digest !== check.digest) reasons.set(id, 'it was escalated again, with other content');
        else if (current?.standing !== 'open') reasons.set(id, `it is ${current?.standing ?? 'gone'} already`);
      }
    }
    const letters = on('dead-letter');
    if (letters.length > 0) {
      const replayed = await keys(
        reader,
        'SELECT dead_letter_id AS key FROM replays WHERE dead_letter_id = ANY($1)',
        letters.map(({ check }) => check.deadLetterId),
      );
      for (const { id, check } of letters)
        if (replayed.has(check.deadLetterId)) reasons.set(id, 'somebody had it handled again already');
    }
    const permits = on('unresolved');
    if (permits.length > 0) {
      const settled = await keys(
        reader,
        `SELECT permit_id AS key FROM settlement_decisions WHERE permit_id = ANY($1)
         UNION SELECT permit_id FROM settlements WHERE permit_id = ANY($1) AND approved AND outcome <> 'unresolved'`,
        permits.map(({ check }) => check.permitId),
      );
      for (const { id, check } of permits)
        if (settled.has(check.permitId)) reasons.set(id, 'it is known by now what became of it');
    }
    await this.controls(reader, [...on('control'), ...on('unconfirmed')], reasons);
    return reasons;
  }

  private async controls(
    reader: Reader,
    asked: readonly { id: string; check: CheckOn<'control'> | CheckOn<'unconfirmed'> }[],
    reasons: Map<string, string>,
  ): Promise<void> {
    if (asked.length === 0) return;
    const scopes = unique(asked.map(({ check }) => check.scope));
    const current = await reader.query<{ scope: string; version: number }>(
      `SELECT key AS scope, (data->>'version')::int AS version FROM published_state WHERE topic = 'controls.v1' AND key = ANY($1)`,
      [scopes],
    );
    const versions = new Map(current.map(({ scope, version }) => [scope, version]));
    for (const { id, check } of asked) {
      if (versions.get(check.scope) !== check.version) reasons.set(id, 'it was changed again since');
      else if (check.on === 'unconfirmed') {
        const [control] = await this.store.controls(check.scope, reader);
        if (control?.confirmed !== false) reasons.set(id, 'it is confirmed by now');
      }
    }
  }
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

async function keys(reader: Reader, sql: string, values: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await reader.query<{ key: string }>(sql, [unique(values)]);
  return new Set(rows.map(({ key }) => key));
}
