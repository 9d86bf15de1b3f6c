import { Refused } from '@countersign/runtime';
import type { z } from 'zod';

/** What somebody sent as its schema has it; throws the problem that names the first wrong field. */
export function valid<T>(schema: z.ZodType<T>, given: unknown, field?: string): T {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw new Refused({
    status: 400,
    title: 'Request not understood',
    detail: issue?.message ?? 'not valid',
    field: field ?? issue?.path.join('.') ?? '',
  });
}
