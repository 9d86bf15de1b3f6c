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
 * What a client may take of a service's HTTP side: times in milliseconds, sizes in bytes. A request that is not whole in time is
 * answered 408 and its connection is closed.
 */
export interface HttpBounds {
  /** For the headers of a request. */
  readonly headersMs: number;
  /** For a whole request, its body included. */
  readonly requestMs: number;
  /** How long nothing may pass over a connection, in either direction. */
  readonly silentMs: number;
  /** How often the two times are looked at. */
  readonly lookEveryMs: number;
  /** The most that a body may have, where a route says no less or more. */
  readonly bodyBytes: number;
  /** Open connections; see `boundConnections` for what gives way to one more. */
  readonly connections: number;
  /** Requests that one principal may have under way, where its service does not count them itself. */
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

/** Headers of every answer that says nothing else. */
const inert = [
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['cache-control', 'no-store'],
] as const;

/** By Fastify's instance: how its service knows who asks. */
const accesses = new WeakMap<object, Access>();

/** Says how the service of this adapter knows who asks; until then nobody is let in but to public pages. */
export const letIn = (adapter: { getInstance(): object }, access: Access): void => {
  accesses.set(adapter.getInstance(), access);
};

/**
 * The HTTP side of a service. Whoever asks for what is not public is known or refused before a byte of the body is read. A JSON body is read in the charset of its content type; one that is not in it is answered 400, since
 * Fastify's own parser would put U+FFFD in place of what somebody wrote. No client can hold a connection by sending or reading slowly.
 */
export function httpAdapter(
  bounds: HttpBounds = httpBounds,
  log: Pino = pino({ level: 'silent' }),
  trustedProxies: readonly string[] = [],
): FastifyAdapter {
  const adapter: FastifyAdapter = new FastifyAdapter({
    // What X-Forwarded-For says counts as far as these wrote it: nobody else says where a request comes from.
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    loggerInstance: log,
    // One line a request, ours; see `OwnLines`.
    logController: new OwnLines({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    bodyLimit: bounds.bodyBytes,
    connectionTimeout: bounds.silentMs,
    requestTimeout: bounds.requestMs,
    http: { headersTimeout: bounds.headersMs, connectionsCheckingInterval: bounds.lookEveryMs },
    // A request in work is answered before its connection closes.
    forceCloseConnections: 'idle',
    // An address that no router can read is refused before the hooks, so it says the same whoever asks and whatever it resembles.
    frameworkErrors: (_error: unknown, request: unknown, reply: unknown) => {
      begin(request as FastifyRequest, reply as FastifyReply);
      // No hook sees it.
      (reply as FastifyReply).headers(Object.fromEntries(inert));
      refuse(reply as FastifyReply, {
        status: 400,
        title: 'Bad address',
        detail: 'this address cannot be read: check it for stray % signs and for its length',
      });
    },
  });
  /** The request has its id in the answer, and its line when it is over. */
  const begin = (request: FastifyRequest, reply: FastifyReply): AnsweredRequest => {
    const answered: AnsweredRequest = { id: request.id };
    reply.header(requestIdHeader, request.id);
    logWhenAnswered(request, reply.raw, answered, () => accesses.get(adapter.getInstance())?.systems === true);
    return answered;
  };
  if (trustedProxies.length > 0)
    // Before anybody asks where a request comes from: else each connection of a client is another client.
    adapter.getInstance().addHook('onRequest', (request, _reply, done) => {
      const forwarded = request.raw.headers['x-forwarded-for'];
      if (forwarded !== undefined)
        request.raw.headers['x-forwarded-for'] = [forwarded].flat().join(',').split(',').map(withoutPort).join(', ');
      done();
    });
  const underWay = new UnderWay(bounds.requestsEach);
  boundConnections(adapter.getHttpServer(), bounds.connections);
  // Before all others, which may refuse it. Fastify keeps the context to the end of the answer.
  adapter.getInstance().addHook('onRequest', (request, reply, done) => requests.run(begin(request, reply), done));
  // No table holds one: a page that looks for it would fail, as if it were our fault.
  adapter.getInstance().addHook('onRequest', (request, _reply, done) => {
    if (request.url.includes('%00'))
      done(new BadRequestException('the address holds a NUL (%00), which nothing here has'));
    else done();
  });
  const admit = (access: Access, found: Found, request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    if ('refusal' in found) {
      if (found.refusal.status === 401) reply.header('www-authenticate', `Bearer realm="${access.realm}"`);
      return refuse(reply, found.refusal);
    }
    const { principal } = found;
    (request as Partial<{ -readonly [K in keyof Authenticated]: Authenticated[K] }>).principal = principal;
    // No body is read for an address that nothing has.
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
    const found = access.identify(request.headers, { method: request.method });
    if (!(found instanceof Promise)) return admit(access, found, request, reply, done);
    found.then((known) => admit(access, known, request, reply, done)).catch(done);
  });
  // Whatever is answered, a refusal too: a browser shows it in no frame, takes it for nothing else, runs and keeps nothing of it.
  adapter.getInstance().addHook('onSend', async (_request, reply, payload) => {
    for (const [name, value] of inert)
      if (!reply.raw.hasHeader(name) && !reply.hasHeader(name)) reply.header(name, value);
    return payload;
  });
  // Fastify reads on what a page streams, to count it, where only its head is asked for.
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

/** An address as some proxies write it, `203.0.113.9:4711` or `[2001:db8::1]:4711`, without the port. */
function withoutPort(entry: string): string {
  const text = entry.trim();
  return (/^\[([^\]]*)\](?::\d*)?$/.exec(text) ?? /^([^:]*):\d*$/.exec(text))?.[1] ?? text;
}

/** Of Fastify's own lines only this one: no filter hears of an answer that breaks off once it has begun. */
class OwnLines extends LogController {
  override streamError(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    // Its caller is gone: the line of the request says so.
    if ((error as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    reply.log.error({ context: 'http', err: error }, 'the answer broke off');
  }
}

/** RFC 9457; what the refusal has beside it stays. */
function refuse(reply: FastifyReply, refusal: Problem): void {
  reply
    .code(refusal.status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', ...refusal, requestId: reply.request.id }));
}

/** Why a request is not answered here, as RFC 9457 has it. */
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

/** How many requests each principal has under way. */
class UnderWay {
  private readonly counts = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Counts one more, until what is returned is called; undefined where that would be one too many. */
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
