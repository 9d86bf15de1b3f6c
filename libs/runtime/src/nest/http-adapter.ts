import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { decode, mediaType, refuseTooDeep } from '@countersign/contracts';
import { BadRequestException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { type Logger as Pino, pino } from 'pino';
import { type Access, type Authenticated, type Found, nobody, openToAll } from './access.js';
import { type Asker, asking } from './asker.js';
import { boundConnections } from './connections.js';
import { type AnsweredRequest, logWhenAnswered, requestIdHeader, requestIdOf, requests } from './request-log.js';

/**
 * The limits for a client of a service's HTTP side: times in milliseconds, sizes in bytes. A request that is not complete in time
 * is answered 408, and its connection is closed.
 */
export interface HttpBounds {
  /** For the headers of a request. */
  readonly headersMs: number;
  /** For a whole request, its body included. */
  readonly requestMs: number;
  /** The longest time without a byte in either direction. */
  readonly silentMs: number;
  /** How often the two times are checked. */
  readonly lookEveryMs: number;
  /** The largest body, if a route does not set its own limit. */
  readonly bodyBytes: number;
  /** Open connections; `boundConnections` says which one is closed for a new one. */
  readonly connections: number;
  /** Concurrent requests of one principal, if its service does not limit them itself. */
  readonly requestsEach: number;
}

export const httpBounds: HttpBounds = {
  headersMs: 10_000,
  requestMs: 30_000,
  silentMs: 60_000,
  lookEveryMs: 2_000,
  bodyBytes: 262_144,
  connections: 1_000,
  requestsEach: 100,
};

/** Headers of every answer that does not set its own. */
const inert = [
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['cache-control', 'no-store'],
] as const;

/** The access of each service, by its Fastify instance. */
const accesses = new WeakMap<object, Access>();

/** Sets the access for the service of this adapter. Until then only public pages are open. */
export const letIn = (adapter: { getInstance(): object }, access: Access): void => {
  accesses.set(adapter.getInstance(), access);
};

/**
 * The HTTP side of a service. A caller of a closed page is identified or refused before a byte of the body is read. A JSON body
 * is read in the charset of its content type. A body that is not in that charset is answered 400, because Fastify's own parser
 * would put U+FFFD in place of what it cannot read. A client that sends or reads slowly cannot hold its connection.
 */
export function httpAdapter(
  bounds: HttpBounds = httpBounds,
  log: Pino = pino({ level: 'silent' }),
  trustedProxies: readonly string[] = [],
): FastifyAdapter {
  const adapter: FastifyAdapter = new FastifyAdapter({
    // Only these proxies may say in X-Forwarded-For where a request comes from.
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    loggerInstance: log,
    // One line for each request, written by us; see `OwnLines`.
    logController: new OwnLines({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    bodyLimit: bounds.bodyBytes,
    connectionTimeout: bounds.silentMs,
    requestTimeout: bounds.requestMs,
    http: { headersTimeout: bounds.headersMs, connectionsCheckingInterval: bounds.lookEveryMs },
    // A request in work gets its answer before its connection closes.
    forceCloseConnections: 'idle',
    // An address that no router can read is refused before the hooks. The answer is the same for every caller and every such
    // address.
    frameworkErrors: (_error: unknown, request: unknown, reply: unknown) => {
      begin(request as FastifyRequest, reply as FastifyReply);
      // The hooks do not run for such a request.
      (reply as FastifyReply).headers(Object.fromEntries(inert));
      refuse(reply as FastifyReply, {
        status: 400,
        title: 'Bad address',
        detail: 'this address cannot be read: check it for stray % signs and for its length',
      });
    },
  });
  /** Puts the request's id into the answer, and writes the line of the request when it is over. */
  const begin = (request: FastifyRequest, reply: FastifyReply): AnsweredRequest => {
    const answered: AnsweredRequest = { id: request.id };
    reply.header(requestIdHeader, request.id);
    logWhenAnswered(request, reply.raw, answered, () => accesses.get(adapter.getInstance())?.systems === true);
    return answered;
  };
  if (trustedProxies.length > 0)
    // This must run before other code asks where a request comes from. Otherwise each connection of a client would count as
    // another client.
    adapter.getInstance().addHook('onRequest', (request, _reply, done) => {
      const forwarded = request.raw.headers['x-forwarded-for'];
      if (forwarded !== undefined)
        request.raw.headers['x-forwarded-for'] = [forwarded].flat().join(',').split(',').map(withoutPort).join(', ');
      done();
    });
  const underWay = new UnderWay(bounds.requestsEach);
  boundConnections(adapter.getHttpServer(), bounds.connections);
  // This runs before the hooks that may refuse the request. Fastify keeps the context to the end of the answer.
  adapter.getInstance().addHook('onRequest', (request, reply, done) => requests.run(begin(request, reply), done));
  // No table holds a NUL. A page that looks for one would fail as if the fault were ours.
  adapter.getInstance().addHook('onRequest', (request, _reply, done) => {
    if (request.url.includes('%00'))
      done(new BadRequestException('the address holds a NUL (%00), which nothing here has'));
    else done();
  });
  const admit = (access: Access, found: Found, request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    if ('refusal' in found) {
      const { retryAfter, ...refusal } = found.refusal;
      if (refusal.status === 401) reply.header('www-authenticate', `Bearer realm="${access.realm}"`);
      if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
      return refuse(reply, refusal);
    }
    const { principal } = found;
    (request as Partial<{ -readonly [K in keyof Authenticated]: Authenticated[K] }>).principal = principal;
    // For an unknown address no body is read.
    if (request.is404)
      return refuse(reply, { status: 404, title: 'Not found', detail: 'nothing has this address here' });
    if (!access.countsRequests) {
      const leave = underWay.enter(principal.name);
      if (!leave) {
        const detail = `${bounds.requestsEach} requests of ${principal.name} are under way; wait for their answers, then ask again`;
        reply.header('retry-after', '1');
        return refuse(reply, { status: 429, title: 'Too many requests', detail });
      }
      reply.raw.once('close', leave);
    }
    // Fastify keeps this context while it reads the body.
    asking.run(askerOf(principal.name, reply.raw), done);
  };
  adapter.getInstance().addHook('onRequest', (request, reply, done) => {
    if (openToAll(request.routeOptions.config)) return done();
    const access = accesses.get(adapter.getInstance()) ?? nobody;
    const { method, ip } = request;
    const found = access.identify(request.headers, { method, ip, route: request.routeOptions.url });
    if (!(found instanceof Promise)) return admit(access, found, request, reply, done);
    found.then((known) => admit(access, known, request, reply, done)).catch(done);
  });
  // These headers go with every answer, also a refusal: no browser may show it in a frame, guess its type, run it or store it.
  adapter.getInstance().addHook('onSend', async (_request, reply, payload) => {
    for (const [name, value] of inert)
      if (!reply.raw.hasHeader(name) && !reply.hasHeader(name)) reply.header(name, value);
    return payload;
  });
  // For a HEAD request Fastify would read a streamed page to its end, to count it.
  adapter.getInstance().addHook('onSend', (request, _reply, payload, done) => {
    if (request.method === 'HEAD' && payload instanceof Readable) {
      payload.destroy();
      return done(null, '');
    }
    done(null, payload);
  });
  const json = adapter.getInstance().getDefaultJsonParser('error', 'error');
  adapter.useBodyParser('application/json', false, { bodyLimit: bounds.bodyBytes }, (request, body, done) => {
    const charset = mediaType(request.headers['content-type'] ?? '')?.charset;
    const text = decode(body as Buffer, charset);
    if (!text.ok) return done(new BadRequestException(`the body: ${text.fault.detail}`), undefined);
    try {
      refuseTooDeep(text.text);
    } catch (error) {
      return done(new BadRequestException(`the body is ${(error as Error).message}`), undefined);
    }
    return json(request as Parameters<typeof json>[0], text.text, done);
  });
  return adapter;
}

/** An address as some proxies write it, `203.0.113.9:4711` or `[2001:db8::1]:4711`, without its port. */
function withoutPort(entry: string): string {
  const text = entry.trim();
  return (/^\[([^\]]*)\](?::\d*)?$/.exec(text) ?? /^([^:]*):\d*$/.exec(text))?.[1] ?? text;
}

/** Writes only one of Fastify's own lines: no filter sees an answer that breaks off after it has begun. */
class OwnLines extends LogController {
  override streamError(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    // The caller is gone, and the line of the request says so.
    if ((error as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    reply.log.error({ context: 'http', err: error }, 'the answer broke off');
  }
}

/** Answers with a problem (RFC 9457). The refusal's other members stay. */
function refuse(reply: FastifyReply, refusal: Problem): void {
  reply
    .code(refusal.status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', ...refusal, requestId: reply.request.id }));
}

/** Why a request is not answered here (RFC 9457). */
interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}

const askerOf = (name: string, answer: Pick<ServerResponse, 'once' | 'closed' | 'destroyed'>): Asker => ({
  name,
  whenClosed(fn) {
    if (answer.closed || answer.destroyed) fn();
    else answer.once('close', fn);
  },
});

/** How many requests each principal has in work. */
class UnderWay {
  private readonly counts = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Counts one more request until the returned function is called; undefined if that is one too many. */
  enter(name: string): (() => void) | undefined {
    const count = this.counts.get(name) ?? 0;
    if (count >= this.most) return undefined;
    this.counts.set(name, count + 1);
    return () => {
      const left = (this.counts.get(name) ?? 1) - 1;
      if (left === 0) this.counts.delete(name);
      else this.counts.set(name, left);
    };
  }
}
