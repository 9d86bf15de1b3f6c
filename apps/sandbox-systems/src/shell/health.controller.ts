import { type Database, describe, Public } from '@countersign/runtime';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { DATABASE } from './database.js';

interface Health {
  readonly status: 'ok' | 'degraded';
  readonly service: 'sandbox-systems';
  readonly ready: boolean;
  readonly checks: { readonly database: string };
}

interface Reply {
  status(code: number): Reply;
}

/** How long the page waits for the database. */
const healthMs = 2_000;

/** As the health pages of the services: whether it is well, and what is not. */
@Controller()
export class HealthPage {
  /** Whoever asks meanwhile gets the same answer: a flood of requests asks the database no more than one. */
  private looking: Promise<Health> | undefined;

  constructor(@Inject(DATABASE) private readonly db: Database) {}

  @Get('health')
  @Public()
  async health(@Res({ passthrough: true }) reply: Reply): Promise<Health> {
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    const health = await this.looking;
    if (!health.ready) reply.status(503);
    return health;
  }

  private async look(): Promise<Health> {
    const database = await Promise.race([
      this.db.read('SELECT 1').then(
        () => 'ok',
        (error: unknown) => describe(error).says,
      ),
      new Promise<string>((resolve) => setTimeout(resolve, healthMs, `no answer within ${healthMs} ms`).unref()),
    ]);
    const ready = database === 'ok';
    return { status: ready ? 'ok' : 'degraded', service: 'sandbox-systems', ready, checks: { database } };
  }
}
