import type { Fault } from '@countersign/contracts';

/** A value before or after an effect, as the system tells it. Never personal data: its caller publishes it. */
export type Shown = Readonly<Record<string, unknown>>;

/** What a system answers for good under one key. */
export type Answer =
  | { readonly outcome: 'done'; readonly reference: string; readonly before?: Shown; readonly after?: Shown }
  | { readonly outcome: 'rejected'; readonly reason: Fault };

/** What becomes of a key that is asked for. */
export type Found = Answer | { readonly outcome: 'absent' } | { readonly outcome: 'running' };

export const rejected = (code: string, detail: string): Answer => ({ outcome: 'rejected', reason: { code, detail } });
