import { describe } from '@countersign/runtime';
import {
  type ArgumentsHost,
  BadRequestException,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
} from '@nestjs/common';
import type { z } from 'zod';

interface Reply {
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: string): void;
}

/** What somebody sent as its schema has it; throws the problem that names the first wrong field. */
export function valid<T>(schema: z.ZodType<T>, given: unknown, field?: string): T {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw new BadRequestException(issue?.message ?? 'invalid', {
    cause: { field: field ?? issue?.path.join('.') ?? '' },
  });
}

/** Every refusal, and every failure of ours, as `application/problem+json` (RFC 9457). */
@Catch()
export class Problems implements ExceptionFilter {
  private readonly log = new Logger('http');

  catch(error: unknown, host: ArgumentsHost): void {
    const refused = error instanceof HttpException ? error : undefined;
    // An error's message may quote what was sent.
    if (!refused) this.log.error(describe(error).says);
    const status = refused?.getStatus() ?? 500;
    const { field } = (refused?.cause ?? {}) as { field?: string };
    const problem = {
      type: 'about:blank',
      title: refused?.name ?? 'Failed',
      status,
      detail: refused?.message ?? 'this failed here; the log says why',
      ...(field !== undefined && { field }),
    };
    const reply = host.switchToHttp().getResponse<Reply>();
    reply.status(status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
  }
}
