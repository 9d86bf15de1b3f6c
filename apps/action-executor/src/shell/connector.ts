import type { ApprovedAction } from '@countersign/gate';
import type { Answer, Found, Unknown } from '../core/answer.js';

/**
 * The way to one connected system. It takes nothing but an `ApprovedAction`, and only `open()` makes one. Both methods may be
 * repeated with the same key at any time, also at the same time; the connected system keeps the first answer under it.
 */
export interface Connector {
  /** As the routes of the policy and the permit's audience name it. */
  readonly name: string;
  /** How long one call or question may take, in milliseconds. Silence after that is `unknown`, never a failure. */
  readonly timeoutMs: number;
  /**
   * Carries the action out. Throws or answers `unknown` where it cannot tell what came of it; throws `NotSent` where it is certain
   * that nothing has left and nothing will, also when the signal comes first.
   */
  call(action: ApprovedAction, key: string, signal: AbortSignal): Promise<Answer | Unknown>;
  /** What became of the key. */
  find(key: string, signal: AbortSignal): Promise<Found>;
}

/** Injection token of `Connectors`. */
export const CONNECTORS = Symbol('CONNECTORS');
/** The connectors of this executor, by name. */
export type Connectors = ReadonlyMap<string, Connector>;
