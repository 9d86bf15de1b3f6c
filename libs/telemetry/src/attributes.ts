import { createHash } from 'node:crypto';

/** Attribute names: the semantic conventions of OpenTelemetry, and our own under `countersign.`. Values are ids, names and counts, never data. */
export const attributes = {
  system: 'messaging.system.name',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  offset: 'kafka.offset',
  group: 'messaging.consumer.group.name',
  messageId: 'messaging.message.id',
  messageCount: 'messaging.batch.message_count',
  correlation: 'messaging.message.conversation_id',
  errorType: 'error.type',
  database: 'db.system.name',
  databaseOperation: 'db.operation.name',
  databaseNamespace: 'db.namespace',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  urlScheme: 'url.scheme',
  urlPath: 'url.path',
  eventType: 'countersign.event.type',
  eventOutcome: 'countersign.event.outcome',
  batchSize: 'countersign.batch.size',
  jobKind: 'countersign.job.kind',
  jobId: 'countersign.job.id',
  jobAttempt: 'countersign.job.attempt',
  jobState: 'countersign.job.state',
  actId: 'countersign.act.id',
  actionId: 'countersign.action.id',
  actionKind: 'countersign.action.kind',
  connector: 'countersign.connector',
  operation: 'countersign.operation',
  outcome: 'countersign.outcome',
  rule: 'countersign.rule',
  agent: 'countersign.agent',
  tier: 'countersign.tier',
  executor: 'countersign.executor',
  reason: 'countersign.reason',
  reference: 'countersign.clock.reference',
} as const;

/**
 * An id in the form that may be exported. Upstreams choose the ids of their signals, and some choose an address. If an id has other
 * characters than ids have, or is longer than any of ours, it is exported as the beginning of its SHA-256. `countersign`, and
 * anybody who knows the id, can find it by that.
 */
export const exportable = (id: string): string =>
  /^[\w.:/~-]{1,120}$/.test(id) ? id : `sha256:${createHash('sha256').update(id).digest('hex').slice(0, 16)}`;
