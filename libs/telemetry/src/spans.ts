import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';

/** Attribute names: the messaging semantic conventions of OpenTelemetry, and our own under `countersign.`. Values are ids, never data. */
export const attributes = {
  system: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  offset: 'messaging.kafka.offset',
  group: 'messaging.consumer.group.name',
  messageId: 'messaging.message.id',
  correlation: 'messaging.message.conversation_id',
  eventType: 'countersign.event.type',
} as const;

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
  readonly tracestate?: string | undefined;
}

/** The span of one event's handling. */
export interface Processing {
  /** What outputs carry on: this span's context; the event's own where telemetry is off. */
  readonly traceparent: string | undefined;
  /** Ends the span; with an error's class where handling failed. */
  end(failure?: string): void;
}

type Carrier = Record<string, string | undefined>;
const get: TextMapGetter<Carrier> = { keys: (carrier) => Object.keys(carrier), get: (carrier, key) => carrier[key] };
const set: TextMapSetter<Carrier> = {
  set: (carrier, key, value) => {
    carrier[key] = value;
  },
};

/** Starts the span of an event's handling as a child of the span that published it. */
export function startProcessing(event: ProcessingOf): Processing {
  const parent = propagation.extract(
    ROOT_CONTEXT,
    { traceparent: event.traceparent, tracestate: event.tracestate },
    get,
  );
  const span = trace.getTracer('countersign').startSpan(
    `process ${event.topic}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        [attributes.system]: 'kafka',
        [attributes.operationName]: 'process',
        [attributes.operationType]: 'process',
        [attributes.destination]: event.topic,
        [attributes.partition]: String(event.partition),
        [attributes.offset]: Number(event.offset),
        [attributes.group]: event.group,
        [attributes.messageId]: event.id,
        [attributes.eventType]: event.type,
        ...(event.correlationid !== undefined && { [attributes.correlation]: event.correlationid }),
      },
    },
    parent,
  );
  const carrier: Carrier = {};
  if (span.isRecording()) propagation.inject(trace.setSpan(context.active(), span), carrier, set);
  return {
    traceparent: carrier.traceparent ?? event.traceparent,
    end: (failure) => {
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end();
    },
  };
}
