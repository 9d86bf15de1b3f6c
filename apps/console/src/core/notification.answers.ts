import { Instant, Name, notifyEvents, Uuid } from '@countersign/contracts';
import { z } from 'zod';

/* The console's answers about notifications. */

export const notificationStates = ['waiting', 'sent', 'dropped', 'failed'] as const;

export const NotificationsAnswer = z.object({
  /** Whether any notification is configured. If not, nobody is notified. */
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
      /** The page with its details. */
      path: z.string(),
      dueAt: Instant,
      madeAt: Instant,
      endedAt: Instant.nullable(),
      messageId: Uuid.nullable(),
    }),
  ),
  /** Send it as `cursor` for older entries; null at the end. */
  next: z.string().nullable(),
});
export const TestTakenAnswer = z.object({ notifications: z.array(z.object({ id: Uuid, channel: Name })) });
export const SlackAnswer = z.object({
  response_type: z.literal('ephemeral'),
  replace_original: z.literal(false),
  text: z.string(),
});
