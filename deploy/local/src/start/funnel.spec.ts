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
  sentAt: 0,
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

test('a permit that has not ended is under way, whichever of its events is read first', () => {
  const { count, funnel } = counter();
  count(event('ActionApproved', 'a', { permitId: 'p' }));
  expect(line(funnel)).toContain('settled 0, 1 under way');
  count(event('ActionSettled', 'b', { permitId: 'q', outcome: 'executed' }));
  count(event('ActionApproved', 'c', { permitId: 'q' }));
  count(event('ActionSettled', 'd', { permitId: 'p', outcome: 'unresolved' }));
  expect(funnel.underWay).toBe(1);
});
