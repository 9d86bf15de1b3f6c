import { ControlScope, Instant, Uuid } from '@countersign/contracts';
import { z } from 'zod';

/** A time that the database reads too: it knows no year 0. */
const Time = Instant.refine((at) => !at.startsWith('0000'));

/** Where a list in the order of time goes on: behind the entry with this time and id. `2026-11-21T10:00:00.000Z,<id>`. */
export const Cursor = z
  .string()
  .max(100)
  .transform((text, context) => {
    const [at, id, ...more] = text.split(',');
    const read = z.object({ at: Time, id: Uuid }).safeParse({ at, id });
    if (read.success && more.length === 0) return read.data;
    context.addIssue({ code: 'custom', message: 'what the list before gave as `next`' });
    return z.NEVER;
  });
export type Cursor = z.infer<typeof Cursor>;

/** The place after which a list of two parts goes on: `waiting,2026-11-21T10:00:00.000Z,<id>`, or `done,…`. */
export const PartCursor = z
  .string()
  .max(120)
  .transform((text, context) => {
    const [part, ...place] = text.split(',');
    const read = z
      .object({ part: z.enum(['waiting', 'done']), place: Cursor })
      .safeParse({ part, place: place.join(',') });
    if (read.success) return { part: read.data.part, ...read.data.place };
    context.addIssue({ code: 'custom', message: 'what the list before gave as `next`' });
    return z.NEVER;
  });
export type PartCursor = z.infer<typeof PartCursor>;

/** Where the list of lifted stops goes on: behind the one with this time and scope. `2026-11-21T10:00:00.000Z,agent:nurture-agent`. */
export const ScopeCursor = z
  .string()
  .max(260)
  .transform((text, context) => {
    const comma = text.indexOf(',');
    const read = z
      .object({ at: Time, scope: ControlScope })
      .safeParse({ at: text.slice(0, comma), scope: text.slice(comma + 1) });
    if (read.success) return read.data;
    context.addIssue({ code: 'custom', message: 'what the list before gave as `next`' });
    return z.NEVER;
  });
export type ScopeCursor = z.infer<typeof ScopeCursor>;

/** The page, from one row more than was asked for, and where the next page begins. */
export function paged<T>(
  rows: readonly T[],
  limit: number,
  placeOf: (row: T) => string,
): { page: T[]; next: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, next: rows.length > limit && last !== undefined ? placeOf(last) : null };
}
