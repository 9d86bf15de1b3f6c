import { type Database, describe, type Health } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { DATABASE } from './database.js';
import { Tokens } from './tokens.access.js';

/** How long the page waits for the database. */
const healthMs = 2_000;

/** What the runtime's health pages ask, and who is told the details: whoever has a token here, beside the installation's readers. */
@Injectable()
export class HealthOfSystems {
  readonly spec = { name: 'sandbox-systems', access: Tokens };
  /** Whoever asks meanwhile gets the same answer: a flood of requests asks the database no more than one. */
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
