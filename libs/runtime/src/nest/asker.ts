import { AsyncLocalStorage } from 'node:async_hooks';

/** The caller of a request, for the work that is done for the request. */
export interface Asker {
  readonly name: string;
  /** Calls `fn` when the request has its answer or its sender is gone; at once if that has already happened. */
  whenClosed(fn: () => void): void;
}

/** Set by `http-adapter.ts` for each request that was let in. */
export const asking = new AsyncLocalStorage<Asker>();
