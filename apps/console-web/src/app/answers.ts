import type { operations } from '../generated/console.js';

/** The answer of the console to an operation that succeeds. */
export type Answer<O extends keyof operations> = operations[O] extends {
  responses: { 200: { content: { 'application/json': infer T } } };
}
  ? T
  : never;
