import { z } from 'zod';

/** An id in an address. One that names nothing is answered 404, whatever its form. */
export const PathId = z.string().min(1).max(100);
