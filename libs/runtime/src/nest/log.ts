import { plainText } from '@countersign/contracts';
import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger as Pino, pino } from 'pino';
import { describe } from '../failures.js';
import { requests } from './request-log.js';

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type Level = Exclude<(typeof levels)[number], 'silent'>;

/** The log of a service: one JSON object per line on standard output, from `LOG_LEVEL` on (`info` if it is not set). */
export function serviceLog(
  service: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
  to?: DestinationStream,
): Pino {
  const level = env.LOG_LEVEL || 'info';
  if (!levels.some((known) => known === level)) throw new Error(`LOG_LEVEL: one of ${levels.join(', ')} is expected`);
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // Fastify logs these objects. An address may hold a query, and an error may quote the request.
    serializers: {
      req: ({ method }: { method?: string }) => ({ method }),
      err: detailOf,
    },
  };
  return to ? pino(options, to) : pino(options);
}

const detailOf = (error: unknown): string => describe(error).detail;

/** Nest's logger, and so every `new Logger(context)`, as lines of the same log. A line that belongs to a request has its id. */
export class NestLog implements LoggerService {
  constructor(private readonly lines: Pino) {}

  fatal(message: unknown, ...more: unknown[]): void {
    this.write('fatal', message, more);
  }
  error(message: unknown, ...more: unknown[]): void {
    this.write('error', message, more);
  }
  warn(message: unknown, ...more: unknown[]): void {
    this.write('warn', message, more);
  }
  log(message: unknown, ...more: unknown[]): void {
    this.write('info', message, more);
  }
  debug(message: unknown, ...more: unknown[]): void {
    this.write('debug', message, more);
  }
  verbose(message: unknown, ...more: unknown[]): void {
    this.write('trace', message, more);
  }

  /** Nest passes the context last, and before it a stack, if there is one. */
  private write(level: Level, message: unknown, more: readonly unknown[]): void {
    const request = requests.getStore();
    const context = more.at(-1);
    const stack = more.slice(0, -1).flatMap((part) => (typeof part === 'string' ? placesOf(part) : []));
    const fields = {
      ...(typeof context === 'string' && { context }),
      ...(request && { requestId: request.id }),
      ...(stack.length > 0 && { stack }),
    };
    // Each message is one line. A line break in somebody's text, such as the reason of a stop, would look like another line of
    // the log.
    this.lines[level](fields, typeof message === 'string' ? plainText(message) : detailOf(message));
  }
}

/** The places of a stack, without its first line, which quotes the message. */
const placesOf = (stack: string): string[] =>
  stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '));
