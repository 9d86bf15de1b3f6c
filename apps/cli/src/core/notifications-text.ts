import { clock, count, type Paint, printable, table } from '@countersign/client/core';
import { own } from '@countersign/contracts';

export const notificationStates = ['waiting', 'sent', 'dropped', 'failed'] as const;

export interface NotificationsList {
  readonly configured: boolean;
  readonly notifications: readonly {
    readonly id: string;
    readonly event: string;
    readonly title: string;
    readonly recipient: string;
    readonly channel: string;
    readonly state: (typeof notificationStates)[number];
    readonly detail: string | null;
    readonly dueAt: string;
    readonly madeAt: string;
    readonly endedAt: string | null;
  }[];
  readonly next: string | null;
}

export interface TestTaken {
  readonly notifications: readonly { readonly id: string; readonly channel: string }[];
}

export function notificationsText(paint: Paint, given: NotificationsList): string {
  const { configured, notifications, next } = printable(given);
  const unset = configured ? [] : [paint.yellow('notifications.yaml names nobody, so nobody is notified.')];
  if (notifications.length === 0) return [...unset, 'There is no such notification.'].join('\n');
  const tints: Readonly<Record<string, Paint['red']>> = { waiting: paint.yellow, sent: paint.green, failed: paint.red };
  const rows = notifications.map(({ madeAt, state, recipient, channel, event, title, detail, dueAt }) => [
    clock(madeAt),
    state,
    `${recipient} by ${channel}`,
    event,
    `${title}${detail === null ? '' : `: ${detail}`}${state === 'waiting' ? ` (due ${clock(dueAt)})` : ''}`,
  ]);
  return [
    ...unset,
    table([['at', 'state', 'to', 'event', 'what'], ...rows], (cell, column, row) =>
      row === 0 ? paint.dim(cell) : column === 1 ? (own(tints, cell.trim())?.(cell) ?? cell) : cell,
    ),
    ...(next === null ? [] : [paint.dim(`Older ones: --before ${next}`)]),
  ].join('\n');
}

export const testText = (recipient: string, { notifications }: TestTaken): string =>
  `${count(notifications.length, 'test message')} to ${printable(recipient)} by ${printable(
    notifications.map(({ channel }) => channel),
  ).join(' and ')}. To see whether it arrived: countersign notifications list`;
