import { z } from 'zod';

/** How many rows an answer may have. */
export const Limit = z.coerce.number().int().positive().max(500).default(100);
