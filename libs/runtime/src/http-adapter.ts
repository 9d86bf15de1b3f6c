import { decode, mediaType, refuseTooDeep } from '@countersign/contracts';
import { BadRequestException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type Access, type Authenticated, nobody, openToAll, type Refusal } from './access.js';
import { boundConnections } from './connections.js';

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
}

export const httpBounds: HttpBounds = {
  headersMs: 10_000,
  requestMs: 30_000,
  silentMs: 60_000,
  lookEveryMs: 2_000,
  bodyBytes: 262_144,
  connections: 1_000,
};

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
export function httpAdapter(bounds: HttpBounds = httpBounds): FastifyAdapter {
  const adapter: FastifyAdapter = new FastifyAdapter({
    bodyLimit: bounds.bodyBytes,
    connectionTimeout: bounds.silentMs,
    requestTimeout: bounds.requestMs,
    http: { headersTimeout: bounds.headersMs, connectionsCheckingInterval: bounds.lookEveryMs },
    // A request in work is answered before its connection closes.
    forceCloseConnections: 'idle',
  });
  boundConnections(adapter.getHttpServer(), bounds.connections);
  // No table holds one: a page that looks for it would fail, as if it were our fault.
  adapter.getInstance().addHook('onRequest', (request, _reply, done) => {
    if (request.url.includes('%00'))
      done(new BadRequestException('the address holds a NUL (%00), which nothing here has'));
    else done();
  });
  adapter.getInstance().addHook('onRequest', (request, reply, done) => {
    if (openToAll(request.routeOptions.config)) return done();
    const access = accesses.get(adapter.getInstance()) ?? nobody;
    const found = access.identify(request.headers);
    if ('principal' in found) {
      (request as Partial<{ -readonly [K in keyof Authenticated]: Authenticated[K] }>).principal = found.principal;
      return done();
    }
    reply.code(found.refusal.status).type('application/problem+json');
    if (found.refusal.status === 401) reply.header('www-authenticate', `Bearer realm="${access.realm}"`);
    reply.send(JSON.stringify(problemOf(found.refusal)));
  });
  const json = adapter.getInstance().getDefaultJsonParser('error', 'error');
  adapter.useBodyParser('application/json', false, { bodyLimit: bounds.bodyBytes }, (request, body, done) => {
    const charset = mediaType(request.headers['content-type'] ?? '')?.charset;
    const text = decode(body as Buffer, charset);
    if (!text.ok) return done(new BadRequestException(`the body: ${text.fault.says}`), undefined);
    try {
      refuseTooDeep(text.text);
    } catch (error) {
      return done(new BadRequestException(`the body is ${(error as Error).message}`), undefined);
    }
    return json(request as Parameters<typeof json>[0], text.text, done);
  });
  return adapter;
}

/** RFC 9457; what the refusal has beside it stays. */
const problemOf = (refusal: Refusal): object => ({ type: 'about:blank', ...refusal });
