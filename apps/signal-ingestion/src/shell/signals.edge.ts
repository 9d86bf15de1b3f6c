import {
  checkEvent,
  type Envelope,
  type Fault,
  type Topic,
  toBinary,
  topicNamed,
  topics,
  topology,
} from '@countersign/contracts';
import {
  type Authenticated,
  DocumentedPastNest,
  deployment,
  describe,
  RUNTIME,
  type Runtime,
  startRequest,
} from '@countersign/runtime';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { postSignals } from '../core/documented.js';
import { readHttp } from '../core/http-binding.js';
import type { Signal } from '../core/signal.js';
import { type Problem, problem } from './problem.js';
import { Secrecy } from './secrecy.js';
import { SETTINGS, type Settings } from './settings.js';
import { type Room, Shares } from './shares.js';
import { encodings, tooLarge, Unpacking } from './unpacking.js';

export const maxBodyBytes = 1_048_576;
/** How many bytes of request bodies all sources together may use; each source has an equal share. */
const bytesUnderWay = 67_108_864;
/** How many requests of all sources may be under way: fewer than the connections that may be open, so that health is always answered. */
const requestsUnderWay = 800;
/** How long a publisher that was turned away should wait, in seconds. */
const retryAfter = { behind: 2, away: 10 };

type Verdict =
  | { readonly ok: true; readonly signals: readonly Signal[] }
  | { readonly ok: false; readonly problem: Problem };

/**
 * `POST /v1/signals`: takes signals of an authenticated source, checks each by its contract, and answers 202 when the broker has
 * acknowledged all. A request is taken whole or not at all. After a 429 or 503 the same request may be sent again: signals that were
 * taken after all are dropped by their ids. It has its own Fastify scope, so that bodies are parsed here in every mode of the binding,
 * and every failure is a problem document.
 */
@Injectable()
@DocumentedPastNest(postSignals)
export class Edge implements OnModuleInit {
  private readonly log = new Logger(Edge.name);
  private readonly topics = topology(deployment());
  private readonly shares: Shares;
  private readonly unpacking = new Unpacking(maxBodyBytes);
  private readonly rooms = new WeakMap<FastifyRequest, Room>();
  private registered = false;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Secrecy) private readonly secrecy: Secrecy,
  ) {
    const sources = Math.max(1, settings.apiKeys.size);
    this.shares = new Shares({
      requests: Math.floor(requestsUnderWay / sources),
      // What one request may need: its body as it arrived, and unpacked.
      bytes: Math.max(2 * maxBodyBytes, Math.floor(bytesUnderWay / sources)),
      events: Math.max(1, Math.floor(settings.maxEventsInFlight / sources)),
    });
  }

  onModuleInit(): void {
    // Nest calls this again for the Kafka side of the application.
    if (this.registered) return;
    this.registered = true;
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, (_request, body, done) =>
        done(null, body),
      );
      scope.setErrorHandler((error: FastifyError, _request, reply) => this.fail(error, reply));
      // Checked before the body is read: the body of an unknown sender is not read, and neither is that of a source whose share is used
      // up.
      scope.addHook('onRequest', async (request, reply) => {
        const room = this.shares.enter(sourceOf(request), bytesOf(request));
        if (!room) return answer(reply, problem(429, tooMuch));
        this.rooms.set(request, room);
        // Also if the sender leaves before the request is complete.
        reply.raw.once('close', () => room.leave());
        return undefined;
      });
      scope.post('/v1/signals', (request, reply) => this.take(request, reply));
    });
  }

  private async take(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const room = this.rooms.get(request);
    if (!room) throw new Error('a request came without its room');
    const topic = topicNamed(topics.signalsInbound(sourceOf(request)).name, this.topics);
    const body = await this.bodyOf(request, reply, room);
    if (!Buffer.isBuffer(body)) {
      // RFC 7694: the answer lists the encodings that are accepted.
      if (body.status === 415) reply.header('accept-encoding', encodings.join(', '));
      return answer(reply, body);
    }
    const verdict = check(topic, request.headers, body);
    if (!verdict.ok) return answer(reply, verdict.problem);
    if (!room.more({ events: verdict.signals.length })) return answer(reply, problem(429, tooMuch));
    return this.send(topic.name, verdict.signals, room, reply);
  }

  /** The body without its content encoding, within its room. */
  private async bodyOf(request: FastifyRequest, reply: FastifyReply, room: Room): Promise<Buffer | Problem> {
    const sent = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined) return sent;
    const unpacking = this.unpacking.unpack(sourceOf(request), encoding, sent, () => reply.raw.destroyed);
    // A waiting request keeps its body here, even if its sender has left.
    room.use(unpacking);
    const body = await unpacking;
    return Buffer.isBuffer(body) && !room.more({ bytes: body.length }) ? problem(429, tooMuch) : body;
  }

  /** The request is the parent span of its signals: of those without a trace of their own, and of those in the caller's trace. */
  private async send(
    topic: string,
    signals: readonly Signal[],
    room: Room,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const contexts = new Set(signals.map((signal) => signal.traceparent));
    const [caller] = contexts.size === 1 ? contexts : [];
    const span = startRequest({ method: 'POST', route: '/v1/signals', traceparent: caller });
    const answered = await this.answerFor(
      topic,
      signals.map((signal) => {
        const own = signal.traceparent === caller ? span.traceparent : signal.traceparent;
        return { ...signal, ...(own !== undefined && { traceparent: own }) };
      }),
      room,
      reply,
    );
    span.end(reply.statusCode);
    return answered;
  }

  private async answerFor(
    topic: string,
    signals: readonly Signal[],
    room: Room,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const records = signals.map((signal) => ({ key: this.keyOf(signal), ...toBinary(signal) }));
    switch (await this.publish(topic, records, room)) {
      case 'acknowledged':
        return reply.code(202).send({ accepted: signals.length, ids: signals.map((s) => s.id) });
      case 'late':
        return answer(reply, problem(429, behind));
      case 'failed':
        return answer(reply, problem(503, away));
    }
  }

  /** A request is under way until the broker has answered, even if its publisher was already asked to send again later. */
  private async publish(
    topic: string,
    records: Parameters<Runtime['publish']>[1],
    room: Room,
  ): Promise<'acknowledged' | 'late' | 'failed'> {
    const published = this.runtime.publish(topic, records).then(
      () => 'acknowledged' as const,
      (error: unknown) => {
        this.log.warn(`${topic}: ${records.length} not published: ${describe(error).detail}`);
        return 'failed' as const;
      },
    );
    room.use(published);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.settings.publishTimeoutMs);
    });
    try {
      return await Promise.race([published, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Signals of one account, contact or ad account keep their order. The key never contains an address, only its hash. */
  private keyOf(signal: Signal): string {
    if ('account' in signal.data && signal.data.account) return signal.data.account.id;
    const [identity] = this.secrecy.identitiesOf(signal);
    return identity ?? (signal.type === 'CampaignPerformanceReported' ? signal.data.adAccountId : signal.id);
  }

  private fail(error: FastifyError, reply: FastifyReply): FastifyReply {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return answer(reply, problem(413, tooLarge(maxBodyBytes)));
    const status = error.statusCode ?? 500;
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return answer(reply, problem(415, noMediaType));
    if (status < 500) return answer(reply, problem(status, badRequest));
    this.log.error(`request failed: ${describe(error).detail}`);
    return answer(reply, problem(500, internal));
  }
}

/** The status for a request that cannot be read, by the code of its fault; 400 for all others. */
const statuses: ReadonlyMap<string, number> = new Map([
  ['media-type', 415],
  ['too-many', 413],
]);

/** Checks every event by its contract before any is published. */
function check(topic: Topic, headers: FastifyRequest['headers'], body: Buffer): Verdict {
  const read = readHttp({ headers, body });
  if (!read.ok) {
    return refused(problem(statuses.get(read.fault.code) ?? 400, read.fault, { signal: read.attributes }));
  }
  if (read.events.length === 0) return refused(problem(400, { code: 'empty', detail: 'the batch holds no event' }));
  const checked = read.events.map((event) => (event.ok ? checkEvent(topic, event.event) : event));
  const errors = checked.flatMap((result, index) =>
    result.ok ? [] : [{ index, ...result.fault, signal: result.attributes }],
  );
  const [first] = errors;
  if (first) {
    const { index, signal, ...fault } = first;
    if (!read.batch) return refused(problem(400, fault, { signal }));
    const detail = `${errors.length} of ${checked.length} events are not valid, none was taken; event ${index}: ${fault.detail}`;
    return refused(problem(400, { ...fault, detail }, { errors }));
  }
  const signals = checked.flatMap((result): Envelope[] => (result.ok ? [result.event] : []));
  return { ok: true, signals: signals as Signal[] };
}

/** The source whose key the request has: other requests do not get here. */
const sourceOf = (request: FastifyRequest): string => (request as unknown as Authenticated).principal.name;

/** The most bytes that a body can have: the size that its sender states, or else the permitted maximum. */
function bytesOf({ headers }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined) return maxBodyBytes;
  return Math.min(Number(headers['content-length'] ?? 0), maxBodyBytes);
}

const refused = (found: Problem): Verdict => ({ ok: false, problem: found });

function answer(reply: FastifyReply, found: Problem): FastifyReply {
  if (found.status === 429) reply.header('retry-after', String(retryAfter.behind));
  if (found.status === 503) reply.header('retry-after', String(retryAfter.away));
  return reply
    .code(found.status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...found, requestId: reply.request.id }));
}

const noMediaType: Fault = {
  code: 'media-type',
  detail: 'content-type: not a media type (RFC 9110); for a structured event say application/cloudevents+json',
  field: 'content-type',
};
const badRequest: Fault = { code: 'bad-request', detail: 'the request cannot be read' };
const internal: Fault = { code: 'internal', detail: 'the request failed here' };
const tooMuch: Fault = {
  code: 'too-much',
  detail:
    'your source has as much under way as one source may; wait for the answers that are due, then send the same again',
};
const behind: Fault = { code: 'behind', detail: 'the broker has not acknowledged in time; send the same again later' };
const away: Fault = { code: 'away', detail: 'the broker cannot be reached; send the same again later' };
