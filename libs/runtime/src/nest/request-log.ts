import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticated } from './access.js';

/** The request for which work is done. */
export interface AnsweredRequest {
  readonly id: string;
  /** The act that the request began, if any: the cause of the events that follow. */
  act?: string;
}

/** Set by `http-adapter.ts` for each request. */
export const requests = new AsyncLocalStorage<AnsweredRequest>();

export const requestIdHeader = 'x-request-id';

/** Only a UUID, with or without hyphens. Any other text of a client could be somebody's name or number. */
const wellFormed = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/** The id of a request from `X-Request-Id`, if it is well-formed; else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[requestIdHeader];
  return typeof given === 'string' && wellFormed.test(given) ? given : randomUUID();
}

interface Answered {
  readonly method: string;
  readonly routeOptions?: { readonly url?: string | undefined };
  readonly log: { info: Write; debug: Write };
}
type Write = (fields: object, msg: string) => void;

/** Writes the line of a request when its answer is complete or its sender is gone. */
export function logWhenAnswered(
  request: Answered,
  raw: ServerResponse,
  answered: AnsweredRequest,
  named: () => boolean,
): void {
  const since = performance.now();
  raw.once('close', () => {
    const { method } = request;
    // Never the address, because it may hold ids and a query.
    const route = request.routeOptions?.url ?? null;
    const status = raw.writableEnded ? raw.statusCode : null;
    const { principal } = request as Partial<Authenticated>;
    const fields = {
      context: 'http',
      method,
      route,
      status,
      durationMs: Math.round((performance.now() - since) * 10) / 10,
      ...(principal && { ...(named() && { principal: principal.name }), roles: principal.roles }),
      ...(answered.act !== undefined && { act: answered.act }),
    };
    const isHealth = route === '/health' || route?.startsWith('/health/');
    request.log[isHealth ? 'debug' : 'info'](fields, `${method} ${route ?? '(no route)'} ${status ?? 'not answered'}`);
  });
}
