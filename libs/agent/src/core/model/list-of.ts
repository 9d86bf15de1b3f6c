import { z } from 'zod';

/** At most `most` elements, counted before one is looked at: zod would look at every one first, which takes long where none fits. */
export const listOf = <T extends z.ZodType>(element: T, most: number) =>
  z.array(z.unknown()).max(most).pipe(z.array(element));
