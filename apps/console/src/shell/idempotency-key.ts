import { z } from 'zod';

/** What makes a repeat of a request known: the same person and the same key are the same request. */
export const IdempotencyKey = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('A repeat with the same key is the same request');
