import { ForeignId, kindSpec, Name, Text, Uuid } from '@countersign/contracts';
import { z } from 'zod';

/* A call under a key. The bounds of its texts are far above what an executor writes. */

/** An action, as the advertising platform and the CRM take it. */
export const ActionCall = z
  .strictObject({
    kind: Text(80),
    accountId: ForeignId.optional(),
    payload: z.record(Text(80), z.unknown()),
  })
  .superRefine(({ kind, payload }, context) => {
    // The system itself refuses an unknown kind.
    for (const { path, message } of kindSpec(kind)?.payload.safeParse(payload).error?.issues ?? [])
      context.addIssue({ code: 'custom', path: ['payload', ...path], message });
  });
export type ActionCall = z.infer<typeof ActionCall>;

/** A message that is ready to be sent. */
const Message = z.strictObject({
  contactId: Uuid,
  to: Text(1_000),
  template: Name,
  subject: Text(20_000),
  body: Text(200_000),
});

/**
 * A message, or why there is none. What its writer refused is stored under the key too, so that it wins over an earlier call that
 * arrives late.
 */
export const MailCall = z.union([
  z.strictObject({ kind: z.literal('email.send'), message: Message }),
  z.strictObject({ kind: Text(80), refused: z.strictObject({ code: Text(80), detail: Text(1_000) }) }),
]);
export type MailCall = z.infer<typeof MailCall>;
