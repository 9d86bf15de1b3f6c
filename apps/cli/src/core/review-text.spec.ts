import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { card, now } from './given.js';
import { dryRunText } from './review-text.js';

const plain = picocolors.createColors(false);
const [total] = card.facts.runningTotals ?? [];
if (!total) throw new Error('the card has a limit');
const facts = { ...card.facts, policy: { version: 7, digest: 'a'.repeat(64) } };
const asAsked = { judged: true as const, reasons: [], at: now, policy: facts.policy, runningTotals: [total] };

test('a dry run that finds everything as it was says of when it is, and nothing more', () => {
  expect(dryRunText(plain, { ...asAsked, outcome: 'approved' }, facts)).toBe(
    'No rule is against it at this moment (2026-11-21 10:00:00Z).',
  );
});

test('a dry run tells each rule that is against it, another policy, and the limits that have moved', () => {
  const verdict = {
    ...asAsked,
    outcome: 'refused' as const,
    reasons: [{ rule: 'consent', detail: 'consent was withdrawn\u001b[2J' }],
    policy: { version: 8, digest: 'b'.repeat(64) },
    runningTotals: [{ ...total, held: 5_000 }],
  };
  expect(dryRunText(plain, verdict, facts)).toBe(`The rules would refuse it at this moment (2026-11-21 10:00:00Z):
  consent was withdrawn\ufffd[2J [consent]
Another policy is in force than when you were asked: version 8 in place of 7.
limit now  Spend of the campaign c-2 on 2026-11-21: EUR 100.00 used, EUR 50.00 held, of EUR 1,000.00`);
});

test('a dry run of an answer that would be set aside says so, and not that the rules refuse it for good', () => {
  const reasons = [{ rule: 'no-reviewer', detail: 'lea is no reviewer of paid-media-agent' }];
  const verdict = { ...asAsked, outcome: 'refused' as const, reasons, policy: null, runningTotals: null };
  expect(dryRunText(plain, verdict, facts)).toBe(
    'Your answer would have no effect (2026-11-21 10:00:00Z): lea is no reviewer of paid-media-agent',
  );
});

test('a dry run without an answer, or by a console that does not tell the rest, says what is known', () => {
  expect(dryRunText(plain, { judged: false }, facts)).toContain('have not answered in time');
  expect(dryRunText(plain, { judged: true, outcome: 'approved', reasons: [], at: now }, card.facts)).toBe(
    'No rule is against it at this moment (2026-11-21 10:00:00Z).',
  );
});
