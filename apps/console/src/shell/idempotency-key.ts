import { z } from 'zod';

/** Identifies a repeated request: the same person and the same key mean the same request. */
export const IdempotencyKey = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('A repeat with the same key is the same request');
