import { type Database, openDatabase } from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Settings } from './settings.js';

/** Injection token of the pool that all systems share. */
export const DATABASE = Symbol('DATABASE');

export const openPool = ({ databaseUrl, limits }: Settings): Database => {
  const log = new Logger('database');
  return openDatabase(databaseUrl, 'sandbox-systems', limits, (message) => log.warn(message));
};

/** Closes the pool when the last request has been answered. */
@Injectable()
export class PoolEnd implements OnApplicationShutdown {
  constructor(@Inject(DATABASE) private readonly db: Database) {}

  onApplicationShutdown(): Promise<void> {
    return this.db.close();
  }
}
