import 'reflect-metadata';
import {
  checkSettings,
  describe,
  httpAdapter,
  httpBounds,
  NestLog,
  serviceLog,
  WrongSettings,
} from '@countersign/runtime';
import { Logger } from '@nestjs/common';
import { createApp } from './app.js';
import { environment, readSettings } from './shell/settings.js';

const log = new Logger('sandbox-systems');

/** How long a client that sends or reads slowly may delay the shutdown. */
const slowMs = 5_000;

async function start(): Promise<void> {
  const lines = serviceLog('sandbox-systems');
  Logger.overrideLogger(new NestLog(lines));
  checkSettings(environment, process.env, (detail) => log.warn(detail));
  const settings = readSettings(process.env);
  const { host, port } = settings;
  const app = await createApp(settings, httpAdapter(httpBounds, lines));
  let ending = false;
  const end = async (reason: string): Promise<void> => {
    if (ending) return;
    ending = true;
    log.log(`draining (${reason})`);
    setTimeout(() => app.getHttpServer().closeAllConnections(), slowMs).unref();
    await app.close();
    log.log('drained');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(signal));
  try {
    await app.listen(port, host);
  } catch (error) {
    if ((error as { code?: string }).code === 'EADDRINUSE') throw new Error(`port ${port} is taken; set PORT`);
    throw error;
  }
  log.log(`ready on ${host}:${port}`);
}

start().catch((error: unknown) => {
  log.error(`does not start: ${error instanceof WrongSettings ? error.message : describe(error).detail}`);
  process.exit(1);
});
