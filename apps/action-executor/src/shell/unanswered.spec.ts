import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Unanswered } from './unanswered.js';

const ads = { name: 'ads', timeoutMs: 5_000 };
let warnings: string[];
let systems: Unanswered;
beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-21T10:00:00.000Z'), toFake: ['Date', 'performance'] });
  warnings = [];
  systems = new Unanswered((message) => warnings.push(message));
});
afterEach(() => vi.useRealTimers());

test('a system is named when one call has had no answer for as long as it may take, also while it is still out', () => {
  systems.asked(ads);
  vi.advanceTimersByTime(4_999);
  expect(systems.now()).toEqual({});
  vi.advanceTimersByTime(1);
  expect(systems.now()).toEqual({ ads: 'no definite answer since 2026-11-21T10:00:00.000Z: still waiting' });
});

test('it is named since its first call that had no answer, with the last reason, and told once', () => {
  for (const reason of ['refused', 'refused', 'no answer within 5000 ms']) {
    const end = systems.asked(ads);
    vi.advanceTimersByTime(3_000);
    end(reason);
  }
  const text = 'no definite answer since 2026-11-21T10:00:00.000Z';
  expect(systems.now()).toEqual({ ads: `${text}: no answer within 5000 ms` });
  expect(warnings).toEqual([`connector ads: ${text}: refused`]);
});

test('an answer ends it, and what is still out is measured from then', () => {
  systems.asked(ads);
  const end = systems.asked(ads);
  vi.advanceTimersByTime(6_000);
  end();
  expect(systems.now()).toEqual({});
  vi.advanceTimersByTime(5_000);
  expect(systems.now()).toEqual({ ads: 'no definite answer since 2026-11-21T10:00:06.000Z: still waiting' });
});

test('a system that nobody asks any more is not named for ever, and is measured anew when it is asked again', () => {
  const end = systems.asked(ads);
  vi.advanceTimersByTime(5_000);
  end('no answer within 5000 ms');
  vi.advanceTimersByTime(59_999);
  expect(systems.now()).toHaveProperty('ads');
  vi.advanceTimersByTime(1);
  expect(systems.now()).toEqual({});
  systems.asked(ads);
  expect(systems.now()).toEqual({});
});

test('that one system hangs says nothing of the others', () => {
  systems.asked(ads);
  vi.advanceTimersByTime(5_000);
  systems.asked({ name: 'crm', timeoutMs: 5_000 })();
  expect(Object.keys(systems.now())).toEqual(['ads']);
});
