import { z } from 'zod';
import { schemaOf } from '../events.js';
import { signalTypes } from '../signals.js';
import { type Topic, topicConfig } from '../topology.js';

/** JSON Schema (draft 2020-12) of a type's data, as a writer must send it. */
export const jsonSchema = (type: string): Record<string, unknown> => {
  const schema = schemaOf(type);
  if (!schema) throw new Error(`no contract for ${type}`);
  return z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>;
};

/** Every type that may be on a topic of the list. */
export const typesOf = (topics: readonly Topic[]): string[] => [...new Set(topics.flatMap(typesOn))].sort();

const typesOn = (topic: Topic): readonly string[] => (topic.types.length > 0 ? topic.types : signalTypes);
const idOf = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, '_');

const headers = {
  type: 'object',
  description:
    'CloudEvents 1.0, Kafka protocol binding, binary mode; structured mode (application/cloudevents+json) is read as well.',
  required: ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time', 'content-type'],
  properties: {
    ce_specversion: { type: 'string', const: '1.0' },
    ce_id: { type: 'string', maxLength: 300 },
    ce_source: { type: 'string', maxLength: 300 },
    ce_type: { type: 'string' },
    ce_time: { type: 'string', format: 'date-time' },
    ce_subject: { type: 'string' },
    ce_correlationid: { type: 'string', description: 'The signal or timer that began the chain.' },
    ce_causationid: { type: 'string', description: 'The event that caused this one.' },
    traceparent: { type: 'string', description: 'W3C trace context.' },
    tracestate: { type: 'string' },
    'content-type': { type: 'string', const: 'application/json' },
  },
};

/**
 * The AsyncAPI 3.0 document of an installation. `send` is what Countersign writes, `receive` what outsiders write to it; who
 * may write and read a channel is in `x-writer` and `x-readers`.
 */
export function asyncapi(topics: readonly Topic[], outsiders: readonly string[]): Record<string, unknown> {
  const channels: Record<string, unknown> = {};
  const operations: Record<string, unknown> = {};
  for (const topic of topics) {
    const id = idOf(topic.name);
    const types = typesOn(topic);
    channels[id] = {
      address: topic.name,
      description: topic.detail,
      messages: Object.fromEntries(types.map((type) => [type, { $ref: `#/components/messages/${type}` }])),
      bindings: {
        kafka: {
          topic: topic.name,
          partitions: topic.partitions,
          topicConfiguration: {
            'cleanup.policy': [topicConfig(topic)['cleanup.policy']],
            ...(topic.kind === 'log' && { 'retention.ms': topic.retentionDays * 86_400_000 }),
          },
          bindingVersion: '0.5.0',
        },
      },
      'x-key': topic.key,
      'x-kind': topic.kind,
      'x-writer': topic.writer,
      'x-readers': topic.readers,
      'x-source': topic.source,
    };
    const outside = outsiders.includes(topic.writer);
    operations[`${outside ? 'receive' : 'send'}_${id}`] = {
      action: outside ? 'receive' : 'send',
      channel: { $ref: `#/channels/${id}` },
      summary: topic.detail,
      messages: types.map((type) => ({ $ref: `#/channels/${id}/messages/${type}` })),
    };
  }
  const types = typesOf(topics);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Countersign',
      version: '1',
      description: 'Every topic of Countersign. Written from the topology; change it there.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels,
    operations,
    components: {
      messages: Object.fromEntries(
        types.map((type) => [
          type,
          {
            name: type,
            contentType: 'application/json',
            headers: { $ref: '#/components/schemas/Headers' },
            payload: { $ref: `#/components/schemas/${type}` },
          },
        ]),
      ),
      schemas: {
        Headers: headers,
        ...Object.fromEntries(types.map((type) => [type, withoutDialect(jsonSchema(type))])),
      },
    },
  };
}

/**
 * AsyncAPI's own schema dialect is draft-07. The keyword that names another dialect is left out; the keywords that are used mean
 * the same in both.
 */
const withoutDialect = ({ $schema: _dialect, ...schema }: Record<string, unknown>): Record<string, unknown> => schema;
