import { httpAdapter, letIn, migrateTables } from '@countersign/runtime';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SandboxSystemsModule } from './module.js';
import { SandboxSystems1764400000001 } from './shell/migrations/systems-tables.js';
import type { Settings } from './shell/settings.js';
import { Tokens } from './shell/tokens.access.js';

/** The application, with its tables up to date. It does not listen yet. */
export async function createApp(settings: Settings, adapter = httpAdapter()): Promise<NestFastifyApplication> {
  const log = new Logger('database');
  await migrateTables(settings.migrationUrl, [SandboxSystems1764400000001], settings.limits, (warning) =>
    log.warn(warning),
  );
  const app = await NestFactory.create<NestFastifyApplication>(SandboxSystemsModule.register(settings), adapter, {
    abortOnError: false,
  });
  letIn(adapter, app.get(Tokens));
  return app;
}
