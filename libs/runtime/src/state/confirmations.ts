import { type ControlConfirmed, derivedId, digestOf, sourceOf, toBinary } from '@countersign/contracts';
import type { Database } from '../database/database.js';
import { describe } from '../failures.js';
import { outgoing } from '../outbox/outgoing.js';
import type { Publish } from '../outbox/publisher.js';
import { fitsText } from '../text.js';

const controls = 'controls.v1';

/**
 * Publishes on a topic of the service which versions of controls its table has, so that the answer to a stop can wait for it.
 * Reading state does not wait for this: a confirmation that cannot be published is published later. The same confirmation always
 * has the same id.
 */
export class Confirmations {
  private readonly open = new Set<string>();
  private working: Promise<void> | undefined;
  private failed = false;

  constructor(
    private readonly deps: {
      readonly db: Pick<Database, 'read'>;
      readonly service: string;
      readonly topic: string;
      readonly publish: Publish;
      readonly now: () => string;
      readonly log: { log(message: string): void; warn(message: string): void };
    },
  ) {}

  /** Notes that the table has been written for these scopes. */
  confirm(scopes: Iterable<string>): void {
    for (const scope of scopes) if (fitsText(scope)) this.open.add(scope);
    this.again();
  }

  /**
   * Confirms what the table has of every scope, because a reader may be newer than the earlier confirmations. Throws if the table
   * cannot be read.
   */
  async confirmAll(): Promise<void> {
    const rows = await this.deps.db.read<{ key: string }>(
      'SELECT key FROM state_rows WHERE topic = $1 AND version > 0',
      [controls],
    );
    this.confirm(rows.map(({ key }) => key));
  }

  /** Tries again to publish the open confirmations. */
  again(): void {
    if (this.open.size === 0) return;
    this.working ??= this.work().finally(() => {
      this.working = undefined;
    });
  }

  /** Resolves when no confirmation is being published. */
  async ended(): Promise<void> {
    await this.working;
  }

  private async work(): Promise<void> {
    const { db, topic, publish, log } = this.deps;
    try {
      while (this.open.size > 0) {
        const scopes = [...this.open];
        this.open.clear();
        try {
          const rows = await db.read<{ key: string; version: number; data: unknown }>(
            'SELECT key, version, data FROM state_rows WHERE topic = $1 AND key = ANY($2) AND version > 0 ORDER BY key',
            [controls, scopes],
          );
          await publish(rows.map((row) => this.confirmation(row)));
        } catch (error) {
          for (const scope of scopes) this.open.add(scope);
          throw error;
        }
        if (this.failed) log.log(`${topic}: controls are confirmed again`);
        this.failed = false;
      }
    } catch (error) {
      if (!this.failed)
        log.warn(`${topic}: controls are not confirmed: ${describe(error).detail}; tried again every second`);
      this.failed = true;
    }
  }

  private confirmation({ key, version, data }: { key: string; version: number; data: unknown }) {
    const { service, topic, now } = this.deps;
    const confirmed: ControlConfirmed = { scope: key, version, digest: digestOf(data) };
    const message = toBinary({
      id: derivedId('control-confirmed', service, key, version, confirmed.digest),
      source: sourceOf(service),
      type: 'ControlConfirmed',
      time: now(),
      data: confirmed,
    });
    return outgoing({ topic, key, ...message });
  }
}
