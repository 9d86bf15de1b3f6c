import { AsyncLocalStorage } from 'node:async_hooks';

/** Whose request this is, for whatever is done for it. */
export interface Asker {
  readonly name: string;
  /** Calls `fn` when the request has its answer or its sender is gone; at once where that is so already. */
  whenClosed(fn: () => void): void;
}

/** Set by `http-adapter.ts` for each request that was let in. */
export const asking = new AsyncLocalStorage<Asker>();
