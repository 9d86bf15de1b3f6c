import type { z } from 'zod';
import { eventSchemas } from './event-data.js';
import { signalKinds, signalTypes } from './signals.js';

export type EventType = keyof typeof eventSchemas;
export type DataOf<T extends EventType> = z.infer<(typeof eventSchemas)[T]>;

/** The data schema of any type that may be on a topic, including signals; undefined if the type is unknown. */
export function schemaOf(type: string): z.ZodType | undefined {
  if (Object.hasOwn(eventSchemas, type)) return eventSchemas[type as EventType];
  if ((signalTypes as string[]).includes(type)) return signalKinds[type as keyof typeof signalKinds].inbound;
  return undefined;
}
