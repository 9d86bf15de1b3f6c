import type { EventType, TopicOf } from '@countersign/contracts';
import { EventPattern } from '@nestjs/microservices';
import type { Batch } from '../api/runtime.js';

/** The compiler's message shows this name if a handler takes other events than its topics have. */
type Takes<B, T extends EventType> =
  Batch<T> extends B ? unknown : { readonly 'the handler must take a Batch of what these topics carry': Batch<T> };

/**
 * Marks the handler of these topics, in place of Nest's `@EventPattern`. The type of its batch must be one that the topics have.
 * A service handles a topic in one place.
 */
export const Consumes =
  <T extends EventType>(...from: readonly TopicOf<T>[]) =>
  <B>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<(batch: B) => Promise<void>> & Takes<B, T>,
  ): void => {
    EventPattern<string[]>(from.map(({ name }) => name))(target, key, descriptor);
  };
