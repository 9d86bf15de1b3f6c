import type { Reader } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { waits } from '../core/replay.js';
import { dayOf } from '../core/spend.js';
import type { Check } from '../core/things.js';
import { Store } from './console.repository.js';
import { ControlStore } from './controls.repository.js';
import { FailureStore } from './failures.repository.js';
import { GapStore } from './gaps.repository.js';
import { NotificationStore, type Waiting } from './notifications.repository.js';
import { NowStore } from './now.repository.js';

type CheckOn<K extends Check['on']> = Extract<Check, { on: K }>;

/** Of which notifications it is known that they are no longer true, by id with the reason, and of which it is not known yet. */
export interface Judged {
  readonly untrue: ReadonlyMap<string, string>;
  readonly undecided: ReadonlySet<string>;
}

const dayMs = 86_400_000;
/** After this time, what was undecided is looked at again. */
export const undecidedMs = 60_000;

/**
 * Checks that the content of a notification is still true when it is due. It reads through the caller's transaction: jobs that each hold
 * a connection and wait for a second one would wait for ever.
 */
@Injectable()
export class StillTrue {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(ControlStore) private readonly controlStore: ControlStore,
    @Inject(FailureStore) private readonly failures: FailureStore,
    @Inject(GapStore) private readonly gaps: GapStore,
    @Inject(NotificationStore) private readonly notifications: NotificationStore,
    @Inject(NowStore) private readonly figures: NowStore,
  ) {}

  async judge(reader: Reader, rows: readonly Waiting[], at: string): Promise<Judged> {
    const reasons = new Map<string, string>();
    const undecided = new Set<string>();
    const unless = (over: boolean, id: string) => (over ? reasons.set(id, 'its time is over') : undecided.add(id));
    const on = <K extends Check['on']>(kind: K) =>
      rows.flatMap(({ id, until, dueAt, facts: { check } }) =>
        check.on === kind ? [{ id, until, dueAt, check: check as CheckOn<K> }] : [],
      );

    const reviews = on('review');
    if (reviews.length > 0) {
      const found = await this.store.standings(reader, at, unique(reviews.map(({ check }) => check.subjectId)));
      for (const { id, until, check } of reviews) {
        const current = found.get(check.subjectId);
        if (current && current.digest !== check.digest) reasons.set(id, 'it was escalated again, with other content');
        // The answer may be set aside. Then the card waits for a person again.
        else if (current?.standing === 'answered') unless(until !== null && until <= at, id);
        else if (current?.standing !== 'open') reasons.set(id, `it is ${current?.standing ?? 'gone'} already`);
      }
    }
    const letters = on('dead-letter');
    if (letters.length > 0) {
      const states = await this.failures.states(reader, unique(letters.map(({ check }) => check.deadLetterId)));
      for (const { id, check } of letters) {
        const state = states.get(check.deadLetterId);
        if (state !== undefined && !waits(state)) reasons.set(id, 'somebody had it handled again already');
      }
    }
    const permits = on('unresolved');
    if (permits.length > 0) {
      const ids = permits.map(({ check }) => check.permitId);
      const settled = await keys(
        reader,
        `SELECT permit_id AS key FROM settlements WHERE permit_id = ANY($1) AND approved AND outcome <> 'unresolved'`,
        ids,
      );
      const decided = await keys(
        reader,
        'SELECT permit_id AS key FROM settlement_decisions WHERE permit_id = ANY($1)',
        ids,
      );
      for (const { id, dueAt, check } of permits)
        if (settled.has(check.permitId)) reasons.set(id, 'it is known by now what became of it');
        // A person said what became of it, and the executor has not settled it yet.
        else if (decided.has(check.permitId)) {
          if (Date.parse(at) - Date.parse(dueAt) < dayMs) undecided.add(id);
          else reasons.set(id, 'a person decided what became of it');
        }
    }
    const gaps = on('gap');
    if (gaps.length > 0) {
      const open = await this.gaps.stillOpen(reader, unique(gaps.map(({ check }) => check.gapId)));
      for (const { id, check } of gaps) if (!open.has(check.gapId)) reasons.set(id, 'it is acknowledged by now');
    }
    await this.budgets(reader, rows, at, reasons);
    await this.controls(reader, [...on('control'), ...on('unconfirmed')], reasons);
    return { untrue: reasons, undecided };
  }

  /** A budget is of one day. After a while it also counts whether what was held was released again. */
  private async budgets(
    reader: Reader,
    rows: readonly Waiting[],
    at: string,
    reasons: Map<string, string>,
  ): Promise<void> {
    const asked = rows.flatMap(({ id, dueAt, facts: { check } }) =>
      check.on === 'budget' ? [{ id, dueAt, check }] : [],
    );
    if (asked.length === 0) return;
    const charters = await this.notifications.charters(reader);
    const today = asked.filter(({ id, check }) => {
      const isToday = check.day >= dayOf(charters.get(check.agent)?.timeZone ?? 'UTC', at);
      if (!isToday) reasons.set(id, 'the day of this budget is over');
      return isToday;
    });
    const waited = today.filter(({ dueAt }) => Date.parse(at) - Date.parse(dueAt) >= behindMs);
    if (waited.length === 0) return;
    const used = await this.figures.used(
      reader,
      waited.map(({ check }) => check),
    );
    for (const [n, { id, check }] of waited.entries())
      if ((used[n] ?? 0) / check.capMinor < check.share) reasons.set(id, 'less of this budget is used again');
  }

  private async controls(
    reader: Reader,
    asked: readonly { id: string; check: CheckOn<'control'> | CheckOn<'unconfirmed'> }[],
    reasons: Map<string, string>,
  ): Promise<void> {
    if (asked.length === 0) return;
    const scopes = unique(asked.map(({ check }) => check.scope));
    const current = await reader.query<{ scope: string; version: number }>(
      `SELECT key AS scope, version FROM published_state WHERE topic = 'controls.v1' AND key = ANY($1)`,
      [scopes],
    );
    const versions = new Map(current.map(({ scope, version }) => [scope, version]));
    for (const { id, check } of asked) {
      if (versions.get(check.scope) !== check.version) reasons.set(id, 'it was changed again since');
      else if (check.on === 'unconfirmed') {
        const control = await this.controlStore.of(check.scope, reader);
        if (control?.confirmed !== false) reasons.set(id, 'it is confirmed by now');
      }
    }
  }
}

/** Escalations and approvals come by different topics. For this long the validator's own figure counts, and not the one worked out here. */
const behindMs = 600_000;

const unique = (values: readonly string[]): string[] => [...new Set(values)];

async function keys(reader: Reader, sql: string, values: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await reader.query<{ key: string }>(sql, [unique(values)]);
  return new Set(rows.map(({ key }) => key));
}
