import type { Fault } from '@countersign/contracts';

/** A value before or after an effect, as the system reports it. Never personal data, because the caller publishes it. */
export type Shown = Readonly<Record<string, unknown>>;

/** A definite answer of a system for one key. */
export type Answer =
  | { readonly outcome: 'done'; readonly reference: string; readonly before?: Shown; readonly after?: Shown }
  | { readonly outcome: 'rejected'; readonly reason: Fault };

/** The state of a key that a caller asks for. */
export type Found = Answer | { readonly outcome: 'absent' } | { readonly outcome: 'running' };

export const rejected = (code: string, detail: string): Answer => ({ outcome: 'rejected', reason: { code, detail } });
