import { Instant, Name, notifyEvents, Uuid } from '@countersign/contracts';
import { z } from 'zod';

/* What the console answers about who was told of what. */

export const notificationStates = ['waiting', 'sent', 'dropped', 'failed'] as const;

export const NotificationsAnswer = z.object({
  /** Whether anything is configured: if not, nobody is told of anything. */
  configured: z.boolean(),
  notifications: z.array(
    z.object({
      id: Uuid,
      event: z.enum([...notifyEvents, 'test']),
      title: z.string(),
      recipient: Name,
      channel: Name,
      state: z.enum(notificationStates),
      /** Why it was dropped or failed. */
      detail: z.string().nullable(),
      /** The page that it is about. */
      path: z.string(),
      dueAt: Instant,
      madeAt: Instant,
      endedAt: Instant.nullable(),
      messageId: Uuid.nullable(),
    }),
  ),
  /** Give it as `cursor` for what is older; null where there is no more. */
  next: z.string().nullable(),
});
export const TestTakenAnswer = z.object({ notifications: z.array(z.object({ id: Uuid, channel: Name })) });
export const SlackAnswer = z.object({
  response_type: z.literal('ephemeral'),
  replace_original: z.literal(false),
  text: z.string(),
});
