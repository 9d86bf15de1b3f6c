import { randomUUID } from 'node:crypto';
import { acts, explained } from '@countersign/client';
import { Misused } from '@countersign/client/core';
import type { Command } from 'commander';
import {
  type NotificationsList,
  notificationStates,
  notificationsText,
  type TestTaken,
  testText,
} from '../../core/notifications-text.js';

interface ListOptions {
  readonly state?: string;
  readonly before?: string;
  readonly limit: string;
}

export function notificationCommands(program: Command): void {
  const notifications = program
    .command('notifications')
    .description('who was told of what, by which channel, and what came of it');

  const list = notifications
    .command('list', { isDefault: true })
    .description('the latest first, with what is still waiting and why something was dropped or failed')
    .option('--state <state>', notificationStates.join(', '))
    .option('--before <cursor>', 'older ones; the cursor is printed below the list')
    .option('--limit <n>', 'how many, at most 500', '20');
  explained(list, ['notifications', 'notifications list --state failed --json'], 'some of them failed');
  acts(list, async (s, { state, before, limit }: ListOptions) => {
    if (state !== undefined && !notificationStates.some((known) => known === state))
      throw new Misused(`--state ${state}: there is ${notificationStates.join(', ')}`);
    const asked = new URLSearchParams({
      limit,
      ...(state !== undefined && { state }),
      ...(before !== undefined && { cursor: before }),
    });
    const found = await s.console.get<NotificationsList>(`/v1/notifications?${asked}`);
    s.answer(found, notificationsText(s.paint, found));
    return !found.notifications.some((row) => row.state === 'failed');
  });

  const test = notifications
    .command('test')
    .argument('<recipient>', 'a name of notifications.yaml')
    .description('send a test message to a recipient')
    .option('--channel <name>', 'by one channel; default: each that the recipient has');
  explained(
    test,
    ['notifications test lea', 'notifications test lea --channel mail'],
    'there is no such recipient or channel, or you do not have the role',
  );
  acts(test, async (s, recipient: string, { channel }: { channel?: string }) => {
    const body = { recipient, ...(channel !== undefined && { channel }) };
    const key = { 'idempotency-key': randomUUID() };
    const taken = await s.console.post<TestTaken>('/v1/notifications/test', body, key);
    s.answer(taken, testText(recipient, taken));
    return undefined;
  });
}
