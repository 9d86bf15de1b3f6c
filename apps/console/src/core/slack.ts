import { createHmac, timingSafeEqual } from 'node:crypto';
import { rejections, Sha256, Uuid } from '@countersign/contracts';
import { z } from 'zod';
import { buttonId, cardOfBlock, menuId } from './message.js';

/**
 * How much the time of a request from Slack may differ from ours. Somebody may have stored an older request and sent it again.
 */
const windowSeconds = 300;

/**
 * Whether Slack signed a request with this secret, over the bytes of its body as they came, and just now. The comparison of the
 * signatures takes constant time.
 */
export function isSigned(
  { secret, timestamp, signature, body }: { secret: string; timestamp: string; signature: string; body: Uint8Array },
  at: string,
): boolean {
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(Date.parse(at) / 1000 - Number(timestamp)) > windowSeconds) return false;
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(signature.slice(3), 'hex'));
}

const SlackId = z
  .string()
  .max(60)
  .regex(/^[A-Z0-9]+$/);
const Pressed = z.object({
  type: z.literal('block_actions'),
  user: z.object({ id: SlackId }),
  trigger_id: z.string().min(1).max(300),
  response_url: z.string().max(1000).optional(),
  container: z.object({ message_ts: z.string().max(60).optional() }).optional(),
  actions: z
    .array(
      z.object({
        action_id: z.string().max(255),
        action_ts: z.string().max(60),
        value: z.string().max(2000).optional(),
        block_id: z.string().max(255).optional(),
        selected_option: z.object({ value: z.string().max(150) }).nullish(),
      }),
    )
    .min(1)
    .max(10),
});
const Card = z.strictObject({ subjectId: Uuid, digest: Sha256 });
const Value = z.strictObject({
  ...Card.shape,
  decision: z.enum(['approve', 'reject']),
  /** The person has read that a stop in force takes the effect of the approval. */
  despiteStop: z.literal(true).optional(),
});
const Category = z.enum(rejections);

/** A press of a button: by whom, what it answers, and the id of this press. */
export interface Press {
  readonly user: string;
  readonly press: string;
  readonly responseUrl?: string;
  /** When the message with the button was sent, by Slack; absent if Slack does not say. */
  readonly sentAt?: string;
  /** Absent if the button only opens a page. A rejection without a category comes from a message of an earlier version. */
  readonly answer?: z.infer<typeof Value> & { readonly category?: z.infer<typeof Category> };
}

/**
 * The instant in Slack's name of a message, such as `1548261231.000200`: seconds, and a number for messages of the same second.
 */
const instantOf = (ts: string): string | undefined =>
  /^\d{1,11}(\.\d{1,9})?$/.test(ts) ? new Date(Math.floor(Number(ts) * 1000)).toISOString() : undefined;

/** Reads the form that Slack posts; undefined if it is not one of ours. */
export function pressIn(body: string): Press | undefined {
  const payload = new URLSearchParams(body).get('payload');
  if (payload === null) return undefined;
  let given: unknown;
  try {
    given = JSON.parse(payload);
  } catch {
    return undefined;
  }
  const read = Pressed.safeParse(given);
  const action = read.data?.actions[0];
  if (!read.success || !action) return undefined;
  const { user, trigger_id: trigger, response_url: responseUrl, container } = read.data;
  const sentAt = instantOf(container?.message_ts ?? '');
  const press = {
    ...{ user: user.id, press: `${trigger} ${action.action_ts}` },
    ...(responseUrl && { responseUrl }),
    ...(sentAt && { sentAt }),
  };
  if (action.action_id === menuId) {
    const card = Card.safeParse(cardOfBlock(action.block_id ?? ''));
    const category = Category.safeParse(action.selected_option?.value);
    if (!card.success || !category.success) return undefined;
    return { ...press, answer: { ...card.data, decision: 'reject', category: category.data } };
  }
  if (!Object.values<string>(buttonId).includes(action.action_id)) return press;
  try {
    const value = Value.parse(JSON.parse(action.value ?? ''));
    return buttonId[value.decision] === action.action_id ? { ...press, answer: value } : undefined;
  } catch {
    return undefined;
  }
}
