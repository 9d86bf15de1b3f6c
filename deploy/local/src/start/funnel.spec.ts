import { expect, test } from 'vitest';
import { counter, line } from './funnel.js';
import type { Observed } from './observe.js';

const event = (type: string, id: string, data: Record<string, unknown> = {}): Observed => ({
  type,
  id,
  source: '/s',
  time: '2026-11-21T10:00:00.000Z',
  topic: 't',
  partition: 0,
  offset: '0',
  data,
});

test('counts each event once, however often it was published', () => {
  const { count, funnel } = counter();
  for (const id of ['a', 'a', 'b']) count(event('SignalAccepted', id));
  count(event('ActionSettled', 'c', { outcome: 'executed' }));
  count(event('ActionSettled', 'd', { outcome: 'refused' }));
  expect(line(funnel)).toBe(
    'signals 2 accepted, 0 rejected → tasks 0 → proposals 0 → 0 approved, 0 refused, 0 escalated → settled 2 (1 executed, 1 refused)',
  );
});
