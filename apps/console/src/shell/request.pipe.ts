import { z } from 'zod';
import { problem } from '../core/problem.js';
import { Refused } from './people.access.js';

/** How many rows an answer may have. */
export const Limit = z.coerce.number().int().positive().max(500).default(100);

/** What a request holds, by its schema. Throws the problem that names the field. */
export function read<T>(schema: z.ZodType<T>, value: unknown, name?: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const steps = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys' && issue.keys[0] !== undefined) steps.push(issue.keys[0]);
  const field = name ?? (steps.join('.') || 'body');
  const says = issue?.code === 'unrecognized_keys' ? 'is not a member of this request' : (issue?.message ?? 'invalid');
  throw new Refused(problem(400, 'Request not understood', `${field}: ${says}`, field));
}
