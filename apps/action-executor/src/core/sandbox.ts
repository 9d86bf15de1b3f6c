import { type Action, type Fault, parseJson } from '@countersign/contracts';
import { z } from 'zod';
import { type Answer, type Found, rejected, type Unknown, unknown } from './answer.js';

/** A message as it is sent: the only place with both a proposal's text and a person's data. */
export interface Message {
  readonly contactId: string;
  readonly to: string;
  readonly template: string;
  readonly subject: string;
  readonly body: string;
}

/** The body of a call to the advertising platform and the CRM. */
export const actionBody = ({ kind, accountId, payload }: Action): string =>
  JSON.stringify({ kind, accountId, payload });

/** The body of a call to the mailer: the message, or why there is none. The mailer stores both under the key. */
export const mailBody = (kind: string, written: Message | { readonly refused: Fault }): string =>
  JSON.stringify('refused' in written ? { kind, ...written } : { kind, message: written });

const Shown = z.record(z.string().max(200), z.unknown()).optional();
const Answered = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('done'), reference: z.string().min(1).max(300), before: Shown, after: Shown }),
  z.object({
    outcome: z.literal('rejected'),
    reason: z.object({ code: z.string().min(1).max(80), detail: z.string().min(1).max(1_000) }),
  }),
  z.object({ outcome: z.literal('running') }),
  z.object({ outcome: z.literal('absent') }),
]);

/** The meaning of an answer to a call. Only a definite answer settles anything. */
export function answeredBy(status: number, text: string | undefined): Answer | Unknown {
  const found = foundBy(status, text);
  if (found.outcome === 'absent') return unknown('the sandbox system answered a call as if it were a question');
  if (found.outcome !== 'unknown' || !refusals.has(status)) return found;
  return rejected('receiver-refused', `the sandbox system refused the call with ${status}`);
}

/** The system does not accept this call, and will not accept it later. */
const refusals = new Set([400, 413, 422]);

/**
 * The meaning of an answer to the question for a key. A 404 without the word "absent" may come from another server at this
 * address.
 */
export function foundBy(status: number, text: string | undefined): Found {
  if (status === 401 || status === 403)
    return unknown(`the sandbox system answered ${status}: it does not take the token of SANDBOX_TOKEN_FILE`);
  const read = status === 200 || status === 404 ? bodyOf(text) : undefined;
  if (!read || (status === 404) !== (read.outcome === 'absent'))
    return unknown(`the sandbox system answered ${status}`);
  switch (read.outcome) {
    case 'done':
      return {
        outcome: 'done',
        externalReference: read.reference,
        ...(read.before && { before: read.before }),
        ...(read.after && { after: read.after }),
      };
    case 'running':
      return unknown('the sandbox system is still at work');
    case 'rejected':
    case 'absent':
      return read;
  }
}

function bodyOf(text: string | undefined): z.infer<typeof Answered> | undefined {
  try {
    return Answered.safeParse(parseJson(text ?? '')).data;
  } catch {
    return undefined;
  }
}
