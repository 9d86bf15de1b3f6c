import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Batch } from '../api/runtime.js';
import type { Handle } from '../inbox/inbox.js';

/**
 * Nest's side of the runtime: collects the `@EventPattern` handlers by topic. The engine opens and closes the connections. Nest's
 * own Kafka server takes one message at a time and has no dead letters.
 */
export class BatchTransport extends Server implements CustomTransportStrategy {
  constructor(
    private readonly start: (handlers: ReadonlyMap<string, Handle>) => Promise<void>,
    private readonly stop: () => Promise<void>,
  ) {
    super();
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.start(this.byTopic());
      callback();
    } catch (error) {
      callback(error);
    }
  }

  close(): Promise<void> {
    return this.stop();
  }

  on(): void {
    throw new Error('this transport has no events to listen to');
  }

  unwrap<T>(): T {
    throw new Error('this transport wraps no client');
  }

  /** The handlers found so far, by topic. */
  byTopic(): ReadonlyMap<string, Handle> {
    const found = new Map<string, Handle>();
    for (const [topic, handler] of this.messageHandlers) {
      if (handler.next) throw new Error(`${topic} has two handlers; one service handles a topic in one place`);
      found.set(topic, async (batch: Batch) => {
        const result = await handler(batch);
        if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
      });
    }
    return found;
  }
}
