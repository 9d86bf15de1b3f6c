import { Remark, recordPassUses, Sha256, withoutAddresses } from '@countersign/contracts';
import { z } from 'zod';
import { seen } from './seen.js';

/** How long a pass is good for, in milliseconds: a download that began goes on to its end. */
export const passMs = 600_000;

/** What an auditor sends who asks to read the whole record. Only the page or the command that made the secret has it. */
export const RecordPassRequest = z.strictObject({
  use: z.enum(recordPassUses),
  purpose: Remark(200)
    .pipe(z.string().min(1, 'write what it is for, for whoever reads the record'))
    .refine((text) => withoutAddresses(text, '') === text, 'no addresses here: the purpose stays on the record'),
  ...seen,
  secretSha256: Sha256,
});
export type RecordPassRequest = z.infer<typeof RecordPassRequest>;
