import type { z } from 'zod';
import { parseExact } from './canonical.js';
import { parseJson } from './depth.js';
import { type Envelope, fromKafka, type KafkaRecord, type Read } from './envelope.js';
import { type DataOf, type EventType, schemaOf } from './events.js';
import type { Fault } from './primitives.js';
import type { RejectionCode } from './rejections.js';
import { signalTypes } from './signals.js';
import { highestVersionAt } from './state.js';
import { fitsJsonb } from './text.js';
import type { Topic } from './topology.js';

/** An event of ours, its data checked against its type's contract. */
export type Event<T extends EventType = EventType> = T extends EventType ? Envelope<T, DataOf<T>> : never;

/**
 * Reads a record of a topic: envelope, author, type and data. The author is the principal that may write the topic. An event whose
 * `source` names another one is refused. Proposals and approvals are parsed exactly, because they are digested. If no writer can
 * have reached a state's version when the broker accepted it, every reader refuses the state, for ever. So no record can stand
 * above all later changes.
 */
export function readEvent(topic: Topic, record: KafkaRecord): Read<Envelope> {
  const exact = topic.types.some((t) => t === 'ActionProposed' || t === 'ActionApproved' || t === 'ReviewDecided');
  const read = fromKafka(record, exact ? parseExact : parseJson);
  if (!read.ok) return read;
  const checked = checkEvent(topic, read.event);
  return checked.ok && topic.kind === 'state' ? checkVersion(checked.event, record.timestamp) : checked;
}

function checkVersion(event: Envelope, takenAt: string | undefined): Read<Envelope> {
  if (takenAt === undefined) return { ok: true, event };
  const { version } = event.data as { version: number };
  const highest = highestVersionAt(Number(takenAt));
  if (version <= highest) return { ok: true, event };
  const { id, source, type, time } = event;
  const detail = `data.version: ${version} is above ${highest}, the highest that there can be at that time`;
  return {
    ok: false,
    fault: { code: 'version-ahead', detail, field: 'data.version' },
    attributes: { id, source, type, time },
  };
}

/** The checks of `readEvent` for an envelope that arrived another way, such as over HTTP. */
export function checkEvent(topic: Topic, event: Envelope): Read<Envelope> {
  const { id, source, type, time } = event;
  const refused = (fault: Fault & { readonly code: RejectionCode }) => ({
    ok: false as const,
    fault,
    attributes: { id, source, type, time },
  });
  if (event.source !== topic.source && !event.source.startsWith(`${topic.source}/`)) {
    return refused({
      code: 'wrong-author',
      detail: `source: must be ${topic.source}, the writer of ${topic.name}`,
      field: 'source',
    });
  }
  const known =
    topic.types.length === 0
      ? isSignal(event.type) && schemaOf(event.type)
      : (topic.types as readonly string[]).includes(event.type) && schemaOf(event.type);
  if (!known) {
    const expected = topic.types.length === 0 ? 'a canonical signal type' : topic.types.join(' or ');
    return refused({ code: 'unknown-type', detail: `type: ${expected} expected on ${topic.name}`, field: 'type' });
  }
  const parsed = known.safeParse(event.data, toFirstFault);
  if (!parsed.success) return refused(contractFault(parsed.error));
  // The outsider gets the fault here. Further in, a text that no table can store would be a failure of ours.
  if (topic.types.length === 0 && !fitsJsonb(JSON.stringify(parsed.data)))
    return refused({
      code: 'contract',
      detail: 'data: NUL and halves of surrogate pairs are not allowed',
      field: 'data',
    });
  return { ok: true, event: { ...event, data: parsed.data } };
}

/**
 * The settings of zod's own `validate`: reading a list or an object stops at its first wrong member. The other faults are not
 * reported, and a writer of thousands of them does not delay every reader.
 */
const toFirstFault: z.core.ParseContext<z.core.$ZodIssue> & { readonly abortEarly: true } = { abortEarly: true };

/** The first fault of a schema, with the path to the field; never the value, which may be personal. */
export function contractFault(error: {
  issues: readonly { path: PropertyKey[]; message: string; code?: string | undefined; keys?: string[] }[];
}): Fault & { readonly code: 'contract' } {
  const issue = error.issues[0];
  const path = ['data', ...(issue?.path ?? [])].map(String).join('.');
  const field = issue?.code === 'unrecognized_keys' && issue.keys?.[0] ? `${path}.${issue.keys[0].slice(0, 60)}` : path;
  const detail = issue?.code === 'unrecognized_keys' ? 'is not a member of this type' : (issue?.message ?? 'invalid');
  return { code: 'contract', detail: `${field}: ${detail}`.slice(0, 1000), field: field.slice(0, 300) };
}

const isSignal = (type: string): boolean => (signalTypes as readonly string[]).includes(type);
