import type { Tx } from '@countersign/runtime';
import type { z } from 'zod';
import type { Answer } from '../core/answer.js';

/** A call with its key, which is new. */
export interface Begun<Call> {
  readonly key: string;
  readonly call: Call;
}

/** One of the systems. A call's effect and its answer are one transaction. */
export interface System<Call = never> {
  readonly name: 'ads' | 'mailer' | 'crm';
  /** The schema of a call. */
  readonly takes: z.ZodType<Call>;
  /** Carries calls out, one after another in the given order. The answers have the same order. */
  readonly carryOut: (calls: readonly Begun<Call>[], tx: Tx) => Promise<readonly Answer[]>;
}

/** Injection token of the systems by name. */
export const SYSTEMS = Symbol('SYSTEMS');
export type Systems = ReadonlyMap<string, System<unknown>>;
