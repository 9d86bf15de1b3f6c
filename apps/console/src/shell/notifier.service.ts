import { type DataOf, problemLine } from '@countersign/contracts';
import { type Batch, type Cause, jobName, type Work } from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Notification, plan } from '../core/notify.js';
import type { Changes } from '../core/project.js';
import { campaignsIn, controlThings, type Thing, thingsIn, unresolvedThing } from '../core/things.js';
import { campaignNames, nameOfScope } from './names.js';
import { NotificationStore } from './notifications.repository.js';
import { NOTIFYING, type Notifying } from './notifying.js';

/** Gathers the due notifications for a recipient into a message. */
export const GATHER = jobName<{ readonly id: string }>('gather-notifications');
/** Sends a message. */
export const SEND = jobName<{ readonly messageId: string }>('send-notifications');

/** Stores notifications, in the transaction that stores the events. */
@Injectable()
export class Notifier implements OnApplicationBootstrap {
  private readonly log = new Logger('notifications');

  constructor(
    @Inject(NOTIFYING) private readonly notifying: Notifying | undefined,
    @Inject(NotificationStore) private readonly store: NotificationStore,
  ) {}

  onApplicationBootstrap(): void {
    for (const remark of this.notifying?.remarks ?? []) this.log.warn(problemLine(remark));
  }

  /** Stores the notifications that follow from a batch of events. Called after its projection was written. */
  async afterBatch(batch: Batch, changes: Changes): Promise<void> {
    if (!this.watches()) return;
    const campaigns = this.hasRuleFor('budget-nearly-spent') ? campaignsIn(batch.events) : [];
    const names = campaigns.length > 0 ? await campaignNames(batch.tx, campaigns) : undefined;
    const things = thingsIn(batch.events, names);
    const permitIds = [...changes.settlements, ...changes.permits].map(({ permitId }) => permitId);
    if (permitIds.length > 0 && this.hasRuleFor('alarm')) {
      const unresolved = await this.store.unresolved(batch.tx, permitIds);
      things.push(...unresolved.map((permit) => unresolvedThing({ ...permit, at: permit.at.toISOString() })));
    }
    const cause = { source: '/countersign/console', id: 'notifications' };
    await this.notify(batch, cause, things);
  }

  /** Stores the notifications that follow from a change of a control, in the transaction that makes the change. */
  async afterControl(work: Work, cause: Cause, control: Omit<DataOf<'ControlChanged'>, 'changedAt'>): Promise<void> {
    if (!this.watches()) return;
    const name = await nameOfScope(work.tx, control.scope);
    await this.notify(work, cause, controlThings({ ...control, at: work.at }, name ?? undefined));
  }

  /** Stores rows and schedules their gathering for when they are due. */
  async schedule(work: Work, cause: Cause, rows: readonly Notification[]): Promise<number> {
    const inserted = await this.store.insert(work.tx, rows, work.at);
    for (const { id, dueAt } of rows)
      if (inserted.has(id)) work.schedule(cause, { kind: GATHER, id, dueAt, payload: { id } });
    return inserted.size;
  }

  private async notify(work: Work, cause: Cause, things: readonly Thing[]): Promise<void> {
    if (!this.notifying || things.length === 0) return;
    const { config } = this.notifying;
    const named = config.tell.some((rule) =>
      [rule, ...('then' in rule ? (rule.then ?? []) : [])].some(({ to }) => to.includes('owner')),
    );
    const charters = named ? [...(await this.store.charters(work.tx))] : [];
    const owners = new Map(charters.map(([agent, { owner }]) => [agent, owner]));
    await this.schedule(work, cause, plan(config, things, owners, work.at));
  }

  private watches(): boolean {
    return (this.notifying?.config.tell.length ?? 0) > 0;
  }

  private hasRuleFor(event: string): boolean {
    return this.notifying?.config.tell.some((rule) => rule.event === event) === true;
  }
}
