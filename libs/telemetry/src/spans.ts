import {
  type Attributes,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { attributes as a, exportable } from './attributes.js';
import { count, record } from './metrics.js';
import { isOn, type Moment, moment, since } from './switch.js';
import { contextOf, traceparentOf } from './trace-context.js';

/** A span that is under way. */
export interface Processing {
  /** The trace context for outputs: this span's, or the given one if telemetry is off. */
  readonly traceparent: string | undefined;
  /** Ends the span. If the work failed, with the error's class or code, never with its message, which may quote data. */
  end(failure?: string): void;
}

interface Begin {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly parent?: string | undefined;
  readonly links?: readonly (string | undefined)[];
  readonly began: Moment;
}

/** More links than this add nothing to the count. */
const maxLinks = 64;

function begin({ name, kind, attributes, parent, links = [], began }: Begin): Span {
  const parentContext = contextOf(parent);
  const linked = links.flatMap((link): Link[] => {
    const context = contextOf(link);
    return context ? [{ context }] : [];
  });
  return trace
    .getTracer('countersign')
    .startSpan(
      name,
      { kind, attributes, links: linked.slice(0, maxLinks), startTime: began.wall },
      parentContext ? trace.setSpanContext(ROOT_CONTEXT, parentContext) : ROOT_CONTEXT,
    );
}

function finish(span: Span, began: Moment, failure?: string, more: Attributes = {}): void {
  span.setAttributes(more);
  if (failure !== undefined) {
    span.setAttribute(a.errorType, failure);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end(began.wall + since(began));
}

/** It ends once: if a piece of work failed alone, it is not ended again with the other work of the same claim. */
function processing(span: Span, otherwise: string | undefined, end: (failure?: string) => void): Processing {
  let ended = false;
  return {
    traceparent: traceparentOf(span.spanContext()) ?? otherwise,
    end: (failure) => {
      if (ended) return;
      ended = true;
      end(failure);
    },
  };
}

const idle = (traceparent: string | undefined): Processing => ({ traceparent, end: () => undefined });

/** What is known of an event when its handling begins. */
export interface ProcessingOf {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly group: string;
  readonly id: string;
  readonly type: string;
  readonly correlationid?: string | undefined;
  readonly traceparent?: string | undefined;
  /** How many events are handled together, including this one. */
  readonly together?: number;
  /** When the batch began; absent: now. */
  readonly began?: Moment;
}

/** Starts the span of an event's handling as a child of the span that published the event. If there is no such span, it begins a trace. */
export function startProcessing(event: ProcessingOf): Processing {
  if (!isOn()) return idle(event.traceparent);
  const began = event.began ?? moment();
  const span = begin({
    name: `process ${event.topic}`,
    kind: SpanKind.CONSUMER,
    attributes: {
      [a.system]: 'kafka',
      [a.operationName]: 'process',
      [a.operationType]: 'process',
      [a.destination]: event.topic,
      [a.partition]: String(event.partition),
      [a.offset]: Number(event.offset),
      [a.group]: event.group,
      [a.messageId]: exportable(event.id),
      [a.eventType]: event.type,
      ...(event.together !== undefined && { [a.batchSize]: event.together }),
      ...(event.correlationid !== undefined && { [a.correlation]: exportable(event.correlationid) }),
    },
    parent: event.traceparent,
    began,
  });
  return processing(span, event.traceparent, (failure) => finish(span, began, failure));
}

/**
 * Starts one span for records of any kind that are stored together. It is a child of the span that published the first record, and
 * is linked to the spans of the others. A span for each record would repeat the same for every event.
 */
export function startRecording(batch: {
  readonly topic: string;
  readonly group: string;
  readonly count: number;
  /** Trace contexts that the records carry. */
  readonly contexts: () => readonly (string | undefined)[];
  readonly began: Moment;
}): Processing {
  if (!isOn()) return idle(undefined);
  const { topic, began } = batch;
  const [parent, ...links] = distinct(batch.contexts());
  const span = begin({
    name: `record ${topic}`,
    kind: SpanKind.CONSUMER,
    attributes: {
      [a.system]: 'kafka',
      [a.operationName]: 'record',
      [a.operationType]: 'process',
      [a.destination]: topic,
      [a.group]: batch.group,
      [a.messageCount]: batch.count,
    },
    parent,
    links,
    began,
  });
  return processing(span, undefined, (failure) => finish(span, began, failure));
}

/** Starts the span of one claim of a job, as a child of the span that scheduled it. */
export function startJob(job: {
  readonly kind: string;
  readonly id: string;
  readonly claims: number;
  readonly traceparent: string | undefined;
}): Processing {
  if (!isOn()) return idle(job.traceparent);
  const began = moment();
  const span = begin({
    name: `job ${job.kind}`,
    kind: SpanKind.INTERNAL,
    attributes: { [a.jobKind]: job.kind, [a.jobId]: exportable(job.id), [a.jobAttempt]: job.claims },
    parent: job.traceparent,
    began,
  });
  record('countersign.job.attempts', job.claims, { [a.jobKind]: job.kind });
  return processing(span, job.traceparent, (failure) => {
    record('countersign.job.duration', since(began) / 1000, {
      [a.jobKind]: job.kind,
      ...(failure !== undefined && { [a.errorType]: failure }),
    });
    finish(span, began, failure);
  });
}

/**
 * Starts the span of a person's act. It begins a trace of its own, linked to the trace that led to it: work that waits hours for a
 * person is two pieces of work, not one slow one.
 */
export function startAct(act: { readonly id: string; readonly follows?: string | undefined }): Processing {
  if (!isOn()) return idle(undefined);
  const began = moment();
  const span = begin({
    name: 'act',
    kind: SpanKind.INTERNAL,
    attributes: { [a.actId]: exportable(act.id) },
    links: [act.follows],
    began,
  });
  return processing(span, undefined, (failure) => finish(span, began, failure));
}

/** The span of an HTTP request that is being answered. */
export interface Answering {
  readonly traceparent: string | undefined;
  /** Ends the span with the status of the answer. A status of 500 or above is a failure. */
  end(status: number): void;
}

/** Starts the span of an HTTP request; `traceparent` is the caller's. */
export function startRequest(request: {
  readonly method: string;
  readonly route: string;
  readonly traceparent: string | undefined;
}): Answering {
  if (!isOn()) return idleRequest(request.traceparent);
  const { method, route } = request;
  const began = moment();
  const span = begin({
    name: `${method} ${route}`,
    kind: SpanKind.SERVER,
    attributes: { [a.httpMethod]: method, [a.httpRoute]: route, [a.urlPath]: route, [a.urlScheme]: 'http' },
    parent: request.traceparent,
    began,
  });
  return {
    traceparent: traceparentOf(span.spanContext()) ?? request.traceparent,
    end: (status) => {
      const failure = status >= 500 ? String(status) : undefined;
      record('http.server.request.duration', since(began) / 1000, {
        [a.httpMethod]: method,
        [a.httpRoute]: route,
        [a.httpStatus]: status,
        [a.urlScheme]: 'http',
        ...(failure !== undefined && { [a.errorType]: failure }),
      });
      finish(span, began, failure, { [a.httpStatus]: status });
    },
  };
}

const idleRequest = (traceparent: string | undefined): Answering => ({ traceparent, end: () => undefined });

/** A call of a connected system that is under way. */
export interface Calling {
  /** Ends the span with the result of the call; `failed` if the result is not an answer. */
  end(outcome: string, failed?: boolean): void;
}

/** Starts the span of a call of a connected system. */
export function startCall(call: {
  readonly connector: string;
  readonly operation: 'call' | 'find';
  readonly actionId: string;
  readonly actionKind: string;
  readonly traceparent: string | undefined;
}): Calling {
  if (!isOn()) return { end: () => undefined };
  const { connector, operation } = call;
  const began = moment();
  const span = begin({
    name: `${operation} ${connector}`,
    kind: SpanKind.CLIENT,
    attributes: {
      [a.connector]: connector,
      [a.operation]: operation,
      [a.actionId]: exportable(call.actionId),
      [a.actionKind]: call.actionKind,
    },
    parent: call.traceparent,
    began,
  });
  return {
    end: (outcome, failed = false) => {
      record('countersign.connector.duration', since(began) / 1000, {
        [a.connector]: connector,
        [a.operation]: operation,
        [a.outcome]: outcome,
      });
      finish(span, began, failed ? outcome : undefined, { [a.outcome]: outcome });
    },
  };
}

/**
 * One transaction, after its end: a child of the first piece of work in it, linked to the others. Without `contexts` it is only
 * counted.
 */
export function transactionEnded(done: {
  readonly namespace: string;
  readonly began: Moment;
  /** Trace contexts of the work in the transaction. */
  readonly contexts: () => readonly (string | undefined)[];
  readonly failure?: string | undefined;
}): void {
  if (!isOn()) return;
  const attributes = {
    [a.database]: 'postgresql',
    [a.databaseNamespace]: done.namespace,
    [a.databaseOperation]: 'transaction',
  };
  record('db.client.operation.duration', since(done.began) / 1000, {
    ...attributes,
    ...(done.failure !== undefined && { [a.errorType]: done.failure }),
  });
  const [parent, ...links] = distinct(done.contexts());
  if (parent === undefined) return;
  const { began } = done;
  const span = begin({
    name: `transaction ${done.namespace}`,
    kind: SpanKind.CLIENT,
    attributes,
    parent,
    links,
    began,
  });
  finish(span, began, done.failure);
}

/**
 * What was sent to one topic in one request, after the broker's answer: a child of the span that made the first event, linked to
 * those of the others.
 */
export function sent(done: {
  readonly topic: string;
  readonly began: Moment;
  readonly count: number;
  /** Trace contexts that the events carry. */
  readonly contexts: () => readonly (string | undefined)[];
  readonly failure?: string | undefined;
}): void {
  if (!isOn()) return;
  const attributes = {
    [a.system]: 'kafka',
    [a.operationName]: 'send',
    [a.operationType]: 'send',
    [a.destination]: done.topic,
  };
  const { [a.operationType]: _type, ...dimensions } = attributes;
  const failed = done.failure === undefined ? {} : { [a.errorType]: done.failure };
  record('messaging.client.operation.duration', since(done.began) / 1000, { ...attributes, ...failed });
  count('messaging.client.sent.messages', done.count, { ...dimensions, ...failed });
  const [parent, ...links] = distinct(done.contexts());
  if (parent === undefined) return;
  const { began } = done;
  const span = begin({
    name: `send ${done.topic}`,
    kind: SpanKind.PRODUCER,
    attributes: { ...attributes, [a.messageCount]: done.count },
    parent,
    links,
    began,
  });
  finish(span, began, done.failure);
}

const distinct = (contexts: readonly (string | undefined)[]): string[] => [
  ...new Set(contexts.filter((context) => context !== undefined)),
];
