import { z } from 'zod';

/** An id in an address. If no such thing exists, the answer is 404, whatever the form of the id. */
export const PathId = z.string().min(1).max(100);
