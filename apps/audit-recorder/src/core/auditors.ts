import { createHash, timingSafeEqual } from 'node:crypto';
import { Name, Sha256 } from '@countersign/contracts';
import { z } from 'zod';

/** Who may read the record, by the SHA-256 of their token. The format is the console's; only the role `auditor` counts here. */
export const Auditors = z.array(
  z.object({
    sha256: Sha256,
    person: Name,
    // The last one is an earlier name of the policy owner.
    roles: z.array(
      z.enum(['viewer', 'reviewer', 'operator', 'policy-owner', 'privacy-officer', 'auditor', 'publisher']),
    ),
  }),
);
export type Auditors = z.infer<typeof Auditors>;

/** Reads the list. Throws if it is none, and `TypeError` if a token is there twice, because its owner would not be clear. */
export function readAuditors(text: string): Auditors {
  const auditors = Auditors.parse(JSON.parse(text));
  if (new Set(auditors.map(({ sha256 }) => sha256)).size < auditors.length)
    throw new TypeError('two of its entries have the same token');
  return auditors;
}

/** The person with this token. */
export function personOf(auditors: Auditors, token: string): Auditors[number] | undefined {
  const given = createHash('sha256').update(token).digest();
  return auditors.find(({ sha256 }) => timingSafeEqual(Buffer.from(sha256, 'hex'), given));
}
