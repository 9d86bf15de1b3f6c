import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { throwError } from 'rxjs';
import { z } from 'zod';
import { describe, isTransient } from '../failures.js';
import { TooManyReads } from './page-reads.js';

/** Why a request was not done (RFC 9457). `title` names the kind of refusal, `detail` says what to do. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** The member of the request that is wrong. */
  readonly field?: string;
  /** When to ask again, in seconds; sent as `Retry-After`. */
  readonly retryAfter?: number;
}

/** A problem as it is sent. */
export const ProblemDocument = z
  .looseObject({
    type: z.string().describe('about:blank, or a URN of the kind of problem'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What to do about it, for people'),
    field: z.string().optional().describe('The member of the request that is at fault'),
    requestId: z.string().describe('The id of the request, as in X-Request-Id and in the log'),
  })
  .describe('RFC 9457');

/** A controller throws this to answer with a problem. Inside a transaction it also rolls the transaction back. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

interface Reply {
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: string): void;
}

/** Titles for the refusals of Nest and Fastify, by status. */
const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'No token',
  403: 'Not permitted',
  404: 'Not found',
  408: 'Too slow',
  413: 'Too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
};

/** After how many seconds a request may be sent again if the service cannot reach a system that it needs. */
const retryWhenAway = 5;

function problemOf(error: unknown): Problem {
  if (error instanceof Refused) return error.problem;
  if (error instanceof TooManyReads) {
    const { status, message, retryAfter } = error;
    return { status, title: status === 429 ? 'Too many exports' : 'Busy', detail: message, retryAfter };
  }
  if (error instanceof HttpException) {
    const status = error.getStatus();
    // A class of ours has a name for people. The names of Nest's classes end in Exception.
    const title = error.name.endsWith('Exception') ? undefined : error.name;
    return { status, title: title ?? titles[status] ?? 'Request failed', detail: error.message };
  }
  // Refusals of Fastify itself, for example of a body that is too large.
  const { statusCode: status, message } = error as { statusCode?: unknown; message?: unknown };
  if (typeof status === 'number' && status >= 400 && status < 500)
    return { status, title: titles[status] ?? 'Request failed', detail: String(message) };
  return isTransient(error)
    ? {
        status: 503,
        title: 'Not reachable',
        detail: 'this service cannot reach its database or its broker at present: send the same request again later',
        retryAfter: retryWhenAway,
      }
    : { status: 500, title: 'Failed', detail: 'the request failed here; the log of this service says why' };
}

/**
 * Sends every refusal and every failure of every service as `application/problem+json` (RFC 9457). An unexpected failure is
 * logged without its message, because the message may quote the request.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger('http');

  catch(error: unknown, host: ArgumentsHost): unknown {
    // The engine handles the failures of a consumer.
    if (host.getType() !== 'http') return throwError(() => error);
    const { status, title, detail, field, retryAfter } = problemOf(error);
    if (status >= 500 && !(error instanceof Refused || error instanceof TooManyReads))
      this.log.error(`request failed: ${describe(error).detail}`);
    const http = host.switchToHttp();
    const reply = http.getResponse<Reply>();
    const { id: requestId } = http.getRequest<{ id: string }>();
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="countersign"');
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
    reply
      .status(status)
      .header('content-type', 'application/problem+json')
      .send(
        JSON.stringify({
          type: 'about:blank',
          title,
          status,
          detail,
          ...(field !== undefined && { field }),
          requestId,
        }),
      );
    return undefined;
  }
}
