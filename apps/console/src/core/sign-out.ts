import { Name, Remark } from '@countersign/contracts';
import { z } from 'zod';

export const SignOutRequest = z.strictObject({
  person: Name,
  reason: Remark(500).pipe(z.string().min(1, 'say why, for whoever reads the record')),
});
export type SignOutRequest = z.infer<typeof SignOutRequest>;
