import { type Database, describe, type Health } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { DATABASE } from './database.js';
import { Tokens } from './tokens.access.js';

/** How long the health page waits for the database, in milliseconds. */
const healthMs = 2_000;

/** The health check for the runtime's pages. Holders of a token here, and the installation's readers, get the details. */
@Injectable()
export class HealthOfSystems {
  readonly spec = { name: 'sandbox-systems', access: Tokens };
  /** Concurrent requests get the same answer: many requests cause only one query to the database. */
  private looking: Promise<Health> | undefined;

  constructor(@Inject(DATABASE) private readonly db: Database) {}

  health(): Promise<Health> {
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async look(): Promise<Health> {
    const database = await Promise.race([
      this.db.read('SELECT 1').then(
        () => 'ok',
        (error: unknown) => describe(error).detail,
      ),
      new Promise<string>((resolve) => setTimeout(resolve, healthMs, `no answer within ${healthMs} ms`).unref()),
    ]);
    const well = database === 'ok';
    const status = well ? 'ok' : 'degraded';
    return { status, service: 'sandbox-systems', ready: well, well, checks: { database } };
  }
}
