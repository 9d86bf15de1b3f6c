import type { Tx } from '@countersign/runtime';
import type { z } from 'zod';
import type { Answer } from '../core/answer.js';

/** A call with its key, which is new. */
export interface Begun<Call> {
  readonly key: string;
  readonly call: Call;
}

/** One of the systems. What it does and what it answers is one transaction. */
export interface System<Call = never> {
  readonly name: 'ads' | 'mailer' | 'crm';
  /** What a call has to be. */
  readonly takes: z.ZodType<Call>;
  /** Carries calls out, one after another as they stand here; the answers are in their order. */
  readonly carryOut: (calls: readonly Begun<Call>[], tx: Tx) => Promise<readonly Answer[]>;
}

/** Injection token of the systems by name. */
export const SYSTEMS = Symbol('SYSTEMS');
export type Systems = ReadonlyMap<string, System<unknown>>;
