import { Name, Remark } from '@countersign/contracts';
import { z } from 'zod';
import { seen } from './seen.js';

export const SignOutRequest = z.strictObject({
  person: Name,
  /** Whether another account at the identity provider may take the place of the one that this person signs in with. */
  newAccount: z.boolean().optional(),
  reason: Remark(500).pipe(z.string().min(1, 'say why, for whoever reads the record')),
  ...seen,
});
export type SignOutRequest = z.infer<typeof SignOutRequest>;
