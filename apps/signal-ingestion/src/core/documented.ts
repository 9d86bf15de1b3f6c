import { AnyInstant, signalKinds, signalTypes } from '@countersign/contracts';
import type { DocumentedRoute } from '@countersign/runtime';
import { z } from 'zod';
import { maxBatchEvents } from './http-binding.js';

const attribute = z.string().min(1).max(300);
const Data = z.union(signalTypes.map((type) => signalKinds[type].inbound));
const Structured = z.looseObject({
  specversion: z.literal('1.0'),
  id: attribute,
  source: attribute,
  type: z.enum(signalTypes),
  time: AnyInstant,
  data: Data,
});

/** The answer when the broker has acknowledged every signal. */
export const AcceptedAnswer = z.object({ accepted: z.int(), ids: z.array(z.string()) });

/** `POST /v1/signals` for the OpenAPI document. The route is in a Fastify scope of its own, so no controller declares it. */
export const postSignals: DocumentedRoute = {
  method: 'post',
  path: '/v1/signals',
  operationId: 'signals_post',
  summary: 'Publish signals of the source that the key belongs to',
  description:
    'CloudEvents over HTTP: structured, batched, or binary with the attributes in ce- headers. A request is taken whole or not at all. After 429 or 503 send the same again.',
  body: {
    'application/cloudevents+json': Structured,
    'application/cloudevents-batch+json': z.array(Structured).min(1).max(maxBatchEvents),
    'application/json': Data,
  },
  headers: {
    'ce-specversion': z.literal('1.0').optional().describe('Binary mode'),
    'ce-id': attribute.optional().describe('Binary mode'),
    'ce-source': attribute.optional().describe('Binary mode'),
    'ce-type': z.enum(signalTypes).optional().describe('Binary mode'),
    'ce-time': AnyInstant.optional().describe('Binary mode'),
  },
  answers: { 202: AcceptedAnswer },
  problems: [413, 415],
};
