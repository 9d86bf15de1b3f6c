import { z } from 'zod';

/**
 * At most `most` elements, counted before one is looked at: zod would look at all, and a list of some hundred thousand that do not fit
 * takes seconds and ends as a `RangeError`.
 */
export const listOf = <T extends z.ZodType>(element: T, most: number) =>
  z.array(z.unknown()).max(most).pipe(z.array(element));
