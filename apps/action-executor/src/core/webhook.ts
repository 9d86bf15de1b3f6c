import { type Action, clip, parseJson } from '@countersign/contracts';
import { z } from 'zod';
import { type Answer, type Found, rejected, type Unknown, unknown } from './answer.js';

/** The posted body: always the same bytes for the same action. */
export const webhookBody = (action: Action): string =>
  JSON.stringify({
    type: action.kind,
    data: { actionId: action.actionId, accountId: action.accountId, payload: action.payload },
  });

/**
 * The question for a key. Its type is no kind of action, so a receiver that does not know it runs nothing. The signature covers
 * the key.
 */
export const questionBody = (key: string): string => JSON.stringify({ type: 'countersign.question', data: { key } });

const shown = z
  .record(z.string(), z.unknown())
  .refine((value) => JSON.stringify(value).length <= 4_000)
  .optional()
  .catch(undefined);
/** A member that is too long or of another type is left out. Only `outcome` decides, and an unknown outcome decides nothing. */
const Body = z.object({
  outcome: z.unknown().optional(),
  reference: z.string().min(1).max(300).optional().catch(undefined),
  spentMinor: z.int().positive().optional().catch(undefined),
  before: shown,
  after: shown,
  reason: z
    .string()
    .min(1)
    .transform((text) => clip(text, 900))
    .optional()
    .catch(undefined),
});
type Body = z.infer<typeof Body>;

/**
 * Refusals that may pass: of our identity, the time, the order or the rate. A conflict may pass too: it may be with our own key,
 * which the receiver then knows (from an earlier call, or from a proxy that repeated this one).
 */
const passing = new Set([401, 407, 408, 409, 421, 423, 425, 429]);

/**
 * The meaning of a receiver's answer to a call. Only a definite answer settles anything. `text` is undefined if it was not read
 * completely.
 */
export function answerOf(status: number, text: string | undefined, key: string): Answer | Unknown {
  const read = bodyOf(text);
  const body = read === 'foreign' ? undefined : read;
  if (status >= 200 && status < 300) {
    if (read === 'foreign') return unknown(`the receiver answered ${status} with ${foreign}`);
    const outcome = body?.outcome ?? 'done';
    if (outcome === 'done') return doneBy(body, key);
    return outcome === 'rejected' ? refusedBy(status, body) : undecided(outcome);
  }
  const contradicts = body?.outcome !== undefined && body.outcome !== 'rejected';
  if (status >= 400 && status < 500 && !passing.has(status) && !contradicts) return refusedBy(status, body);
  return unknown(`the receiver answered ${status}`);
}

/**
 * The meaning of a receiver's answer to the question for a key. A receiver has its own word for an unknown key: a bare 404 may
 * come from a proxy, or from a receiver that does not know the question.
 */
export function foundOf(status: number, text: string | undefined, key: string): Found {
  const body = bodyOf(text);
  if (status !== 200 && status !== 404) return unknown(`the receiver answered ${status}`);
  if (body === 'foreign') return unknown(`the receiver answered ${status} with ${foreign}`);
  if (body?.outcome === 'absent') return { outcome: 'absent' };
  if (status === 404) return unknown('the receiver answered 404 without the outcome "absent"');
  if (body?.outcome === 'done') return doneBy(body, key);
  return body?.outcome === 'rejected' ? refusedBy(status, body) : undecided(body?.outcome);
}

const undecided = (outcome: unknown): Unknown =>
  unknown(outcome === 'running' ? 'the receiver is still at work' : 'the receiver answered without a known outcome');

const doneBy = (body: Body | undefined, key: string): Answer => ({
  outcome: 'done',
  externalReference: body?.reference ?? key,
  ...(body?.spentMinor && { spentMinor: body.spentMinor }),
  ...(body?.before && { before: body.before }),
  ...(body?.after && { after: body.after }),
});

const refusedBy = (status: number, body: Body | undefined): Answer =>
  rejected('receiver-refused', body?.reason ?? `the receiver refused with ${status}`);

const foreign = 'a page, or with JSON that is not whole';

/**
 * The content of the body; undefined if it is a plain text. A page comes from some proxy, and a part of an answer is no answer.
 */
function bodyOf(text: string | undefined): Body | undefined | 'foreign' {
  const trimmed = text?.trim();
  if (trimmed === undefined || trimmed.startsWith('<')) return 'foreign';
  try {
    const parsed = Body.safeParse(parseJson(trimmed));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return /^[{[]/.test(trimmed) ? 'foreign' : undefined;
  }
}
