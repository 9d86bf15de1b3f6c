import type { ApprovedAction } from '@countersign/gate';
import type { Answer, Found, Unknown } from '../core/answer.js';

/**
 * The way to one connected system. It accepts only an `ApprovedAction`, and only `open()` makes one. Both methods may be repeated with
 * the same key at any time, also concurrently; the connected system keeps the first answer for that key.
 */
export interface Connector {
  /** The name that the policy's routes and the permit's audience use. */
  readonly name: string;
  /** How long one call or question may take, in milliseconds. Silence after that is `unknown`, never a failure. */
  readonly timeoutMs: number;
  /**
   * Carries the action out. If the result is not known, it throws or answers `unknown`. If it is certain that nothing was sent and
   * nothing will be, it throws `NotSent`, also when the signal aborts first.
   */
  call(action: ApprovedAction, key: string, signal: AbortSignal): Promise<Answer | Unknown>;
  /** What happened under the key. */
  find(key: string, signal: AbortSignal): Promise<Found>;
}

/** Injection token of `Connectors`. */
export const CONNECTORS = Symbol('CONNECTORS');
/** The connectors of this executor, by name. */
export type Connectors = ReadonlyMap<string, Connector>;
